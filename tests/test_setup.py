"""The Makefile sets up by itself and heals; a stand-in for Python notes what would be installed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from coursemaker import serve
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECTS = ["pyproject.toml", "docs/_machine/pyproject.toml"]
NEEDED = [
    *("Makefile", "requirements.txt", "constraints.txt", *PROJECTS),
    *("tests/package.json", "tests/package-lock.json"),
]

# Notes its arguments in `log`, makes a .venv that holds itself, and hangs or fails where told to.
PYTHON = """#!/bin/sh
case "$*" in "-m venv"*)
  rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/zizmor ;;
esac
case "$*" in -m*) echo "$*" >>log ;; esac
case "$*" in *"${HANG:-nothing}"*) exec sleep 60 ;; esac
case "$*" in *"${FAIL:-nothing}"*) echo "what pip says of $*" && exit 1 ;; esac
"""

# The file that says that all is there comes last, as with npm.
NPM = """#!/bin/sh
echo npm >>log
mkdir -p tests/node_modules
if [ "$FAIL" ]; then echo "what npm says" && exit 1; fi
touch tests/node_modules/.package-lock.json
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is missing")


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def log(self) -> list[str]:
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        outer = {
            key: value for key, value in os.environ.items() if "MAKE" not in key and key != "CI"
        }
        outer["PATH"] = f"{self.folder.parent}{os.pathsep}{outer['PATH']}"
        return subprocess.Popen(
            ["make", f"PYTHON={self.folder.parent / 'python3'}", *arguments],
            cwd=self.folder,
            env=outer | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *arguments: str, **environment: str) -> tuple[int, str]:
        with self.start(*arguments, **environment) as process:
            output, _ = process.communicate(timeout=30)
        return process.returncode, output

    def made(self) -> list[str]:
        """Set up, which must work, and give what was run for it."""
        before = len(self.log)
        code, output = self.make(".venv/ready")
        assert code == 0, output
        return self.log[before:]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Give a folder with what make reads, below one with the stand-ins."""
    for name, text in {"python3": PYTHON, "npm": NPM}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name in NEEDED:
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    return Checkout(tmp_path / "checkout")


def test_it_sets_up_once_with_hashes_and_shows_its_progress(checkout: Checkout) -> None:
    venv, pins, *torch, projects = checkout.made()
    assert venv == "-m venv --clear .venv"
    assert "--require-hashes" in pins
    assert "requirements.txt" in pins
    assert torch
    assert all("--constraint constraints.txt" in line and "torch" in line for line in torch)
    assert projects.endswith("--editable . --editable docs/_machine")
    assert not any("--quiet" in line for line in (pins, *torch, projects))
    assert checkout.made() == []


def test_new_pins_are_installed_into_the_venv_that_is_there(checkout: Checkout) -> None:
    checkout.made()
    later = time.time() + 10
    os.utime(checkout.folder / "requirements.txt", (later, later))
    again = checkout.made()
    assert again
    assert not any(line.startswith("-m venv") for line in again)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("step", ["-m venv", "--require-hashes", "--editable"])
def test_a_set_up_that_broke_off_begins_anew(
    checkout: Checkout, step: str, how: signal.Signals
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
    with checkout.start(".venv/ready", HANG=step) as process:
        while not any(step in line for line in checkout.log):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.killpg(process.pid, how)
    assert checkout.made()[0] == "-m venv --clear .venv"
    assert checkout.made() == []


def test_an_update_that_broke_off_begins_anew(checkout: Checkout) -> None:
    checkout.made()
    later = time.time() + 10
    os.utime(checkout.folder / "requirements.txt", (later, later))
    assert checkout.make(".venv/ready", FAIL="--editable")[0] != 0
    assert checkout.made()[0] == "-m venv --clear .venv"


def test_a_venv_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.made()
    python = checkout.folder / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert checkout.made()[0] == "-m venv --clear .venv"


def test_a_copied_checkout_makes_a_venv_of_its_own(checkout: Checkout, tmp_path: Path) -> None:
    checkout.made()
    copy = Checkout(shutil.copytree(checkout.folder, tmp_path / "copy"))
    assert copy.made()[0] == "-m venv --clear .venv"
    assert checkout.made() == []


def test_a_link_to_anothers_venv_goes_and_the_other_stays(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.made()
    ignored = shutil.ignore_patterns(".venv")
    copy = Checkout(shutil.copytree(checkout.folder, tmp_path / "copy", ignore=ignored))
    (copy.folder / ".venv").symlink_to(checkout.folder / ".venv")
    assert copy.made()[0] == "-m venv --clear .venv"
    assert not (copy.folder / ".venv").is_symlink()
    assert checkout.made() == []


def test_what_pip_says_is_shown_when_it_fails(checkout: Checkout) -> None:
    code, output = checkout.make(".venv/ready", FAIL="--require-hashes")
    assert code != 0
    assert "what pip says of -m pip install" in output


def test_a_python_without_venv_is_named_with_the_cure(checkout: Checkout) -> None:
    code, output = checkout.make(".venv/ready", FAIL="import ensurepip")
    assert code != 0
    assert "venv is missing; on Debian and Ubuntu: apt install python3-venv" in output
    assert not (checkout.folder / ".venv").exists()


def test_node_modules_that_broke_off_are_installed_again(checkout: Checkout) -> None:
    code, output = checkout.make("tests/node_modules", FAIL="yes")
    assert code != 0
    assert "what npm says" in output
    for runs in (2, 2):
        assert checkout.make("tests/node_modules")[0] == 0
        assert checkout.log == ["npm"] * runs


def test_check_without_npm_says_what_it_leaves_out_and_fails_on_ci(
    checkout: Checkout, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"  # all but npm
    tools.mkdir()
    for tool in ("cat", "cp", "git", "make", "mkdir", "rm", "sh", "timeout", "touch", "uname"):
        (tools / tool).symlink_to(shutil.which(tool) or "/nowhere")
    code, output = checkout.make("check", PATH=str(tools))
    assert code == 0, output
    assert "npm is missing: scripts and styles go unchecked" in output
    assert checkout.make("check", PATH=str(tools), CI="true")[0] != 0


def test_serve_passes_the_port_on(checkout: Checkout) -> None:
    checkout.make("serve", "PORT=8123")
    assert checkout.log[-1] == "-m coursemaker.serve 8123"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Give what MkDocs is asked to do, in place of which nothing is done."""
    calls: list[list[str]] = []
    monkeypatch.setattr(serve, "cli", calls.append)
    return calls


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_free_port_is_served(served: list[list[str]]) -> None:
    port = a_free_port()
    serve.main(str(port))
    assert served == [["serve", "--livereload", "--dev-addr", f"127.0.0.1:{port}"]]


def test_a_taken_port_is_told_before_the_build_with_one_that_is_free(
    served: list[list[str]],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as told:
            serve.main(str(port))
    message = rf"Port {port} can't be used: .*\. Another is free: make serve PORT=(\d+)"
    found = re.fullmatch(message, str(told.value))
    assert found, told.value
    socket.create_server(("127.0.0.1", int(found[1]))).close()
    assert served == []


@pytest.mark.parametrize("port", ["eighty", "-1", "0", "65536"])
def test_what_is_no_port_is_told(port: str, served: list[list[str]]) -> None:
    message = f"PORT is '{port}'; expected a number from 1 to 65535: make serve PORT=8001"
    with pytest.raises(SystemExit, match=f"^{message}$"):
        serve.main(port)
    assert served == []


def pins() -> dict[str, str]:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==([\w.]+)(?: ;.*)? \\\n {4}--hash=sha256:", text, re.MULTILINE)
    torch = re.findall(r"^(torch)==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return dict(found + torch)


def wanted() -> set[str]:
    """Give what the two projects ask for, in any of their extras and to be built."""
    lists = []
    for name in PROJECTS:
        data = tomllib.loads((ROOT / name).read_text(encoding="utf-8"))
        project = data["project"]
        lists += [project["dependencies"], data["build-system"]["requires"]]
        lists += project.get("optional-dependencies", {}).values()
    return {text for texts in lists for text in texts if "pytorch-workflow" not in text}


@pytest.mark.parametrize("text", sorted(wanted()))
def test_the_pins_have_what_the_projects_ask_for(text: str) -> None:
    requirement = Requirement(text)
    version = pins().get(canonicalize_name(requirement.name))
    assert version, f"{text} has no pin: make pins"
    assert version in requirement.specifier, f"{text} is pinned at {version}: make pins"


def promised() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))


def test_the_pins_hold_on_every_python_that_is_promised() -> None:
    refused = []
    for name, version in pins().items():
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        wants = str(found.metadata.json.get("requires_python", ""))
        if found.version.partition("+")[0] == version:
            refused += [
                f"{name}=={version} on {python}"
                for python in ["3.11.2", *promised()]  # Debian 12's, older than some packages want
                if python not in SpecifierSet(wants)
            ]
    assert refused == []


def test_the_workflow_runs_every_python_that_is_promised() -> None:
    workflow = (ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8")
    assert set(re.findall(r'"(3\.\d+)"', workflow)) == set(promised())

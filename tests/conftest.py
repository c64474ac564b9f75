"""The site built once and served with gzip, one browser, and CI's rule that a skip is a failure.

Nothing here is started before a test asks for it, so package tests need neither site nor browser.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import mimetypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from playwright.sync_api import Browser, BrowserContext, Page

os.environ["MPLBACKEND"] = "agg"
os.environ["OMP_NUM_THREADS"] = (
    "1"  # read when torch is imported; workers stand in each other's way
)
settings.register_profile("any machine", deadline=None)  # a busy one may take its time
settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "tests/node_modules"
AXE = "axe-core/axe.min.js"
REPOSITORY = "someone/pytorch-workflow"
# mkdocs.yml lists the stages, one a line.
STAGES = re.findall(r"(?m)^ +- {name: (\w+), does:", (ROOT / "mkdocs.yml").read_text("utf-8"))
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """On CI everything is installed, so what is skipped there was not tested."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI skips nothing: {report.longrepr}"
    return report


class Site(NamedTuple):
    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """The addresses of all pages, as a path from the root."""
        folders = [path.parent.relative_to(self.folder) for path in self.folder.rglob("index.html")]
        return sorted("" if str(f) == "." else f"{f.as_posix()}/" for f in folders)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves as a host of static pages does: gzip for text, our page for what isn't there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        found = path.is_file()
        body, headers = sent(path if found else Path(self.directory, "404.html"))
        self.send_response(200 if found else 404)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: pytest's output is for failures."""


@functools.cache
def sent(path: Path) -> tuple[bytes, dict[str, str]]:
    """What is sent of a file, and the headers with it."""
    body = path.read_bytes()
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"Content-Type": kind}
    if kind.startswith("text") or kind.endswith(("javascript", "json", "xml")):
        body = gzip.compress(body, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return body, headers | {"Content-Length": str(len(body))}


# One server for all workers: it lives in the process that started them, and whichever worker needs
# the site first builds it into the folder that is served.

SERVED = pytest.StashKey[tuple[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.stash[SERVED] = config.workerinput["served"]
        return
    folder = tempfile.TemporaryDirectory(prefix="workflow-tests-")
    handler = functools.partial(Handler, directory=f"{folder.name}/site")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config.stash[SERVED] = folder.name, server.server_port
    for end in (folder.cleanup, server.server_close, server.shutdown):  # the last comes first
        config.add_cleanup(end)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what is served."""
    node.workerinput["served"] = node.config.stash[SERVED]


def build(source: Path, target: Path, **environment: str) -> None:
    """Build the site that `source` holds, as `make site` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    settings = {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "0"}
    clean = {k: v for k, v in os.environ.items() if k not in ("GITHUB_REPOSITORY", "OFFLINE")}
    done = subprocess.run(
        command, cwd=source, env=clean | settings | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def built(target: Path, **environment: str) -> Path:
    """Build the site once, whoever asks and however often."""
    ready = target.with_suffix(".ready")
    with FileLock(target.with_suffix(".lock")):
        if not ready.exists():
            build(ROOT, target, **environment)
            ready.touch()
    return target


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> Site:
    folder, port = pytestconfig.stash[SERVED]
    url = f"http://127.0.0.1:{port}/"
    return Site(built(Path(folder, "site"), SITE_URL=url), url)


@pytest.fixture(scope="session")
def executed(site: Site) -> dict[str, NotebookNode]:
    """The tutorials as the site's build has run them, by their paths in docs."""
    from coursemaker.store import Store, key
    from coursemaker.tutorial import files_named

    docs, store = ROOT / "docs", Store(ROOT / ".cache/notebooks")
    found = {}
    for path in docs.rglob("[!_]*.py"):
        source = path.read_text("utf-8")
        if "\n# %%" in source and "_machine" not in path.parts:
            notebook = store.get(key(source, ROOT, files_named(source, path.parent)))
            assert notebook, f"{path} was built and isn't kept"
            found[path.relative_to(docs).as_posix()] = notebook
    return found


@pytest.fixture(scope="session")
def offline(site: Site) -> Path:
    """The site that opens from a folder, of a repository on GitHub; built after the other."""
    folder = site.folder.with_name("offline")
    return built(folder, OFFLINE="true", GITHUB_REPOSITORY=REPOSITORY)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is installed")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's doesn't start as root
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=FLAGS + sandbox)


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A reader's browser of their own, for what stays: a clock, an init script, storage."""
    context = browser.new_context(base_url=site.url)
    yield context
    context.close()


@pytest.fixture
def timed(context: BrowserContext) -> Page:
    """A page whose clock the test can stop and move, so that nothing depends on luck."""
    context.clock.install(time=0)
    return context.new_page()


@pytest.fixture(scope="session")
def shared(browser: Browser, site: Site) -> BrowserContext:
    return browser.new_context(base_url=site.url)


@pytest.fixture
def page(shared: BrowserContext, site: Site) -> Iterator[Page]:
    """A new tab in a browser that knows the site: a third of the time of a new browser."""
    page = shared.new_page()
    yield page
    if page.url.startswith(site.url):
        page.evaluate("localStorage.clear()")
    page.close()


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run_script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run a script in a folder as its reader would, with `python -W error script …`.

    It is run by a fork of a process that has imported torch, in a third of the time.
    """
    with subprocess.Popen(
        [sys.executable, ROOT / "tests/_forks.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forks:
        assert forks.stdin
        assert forks.stdout
        jobs, answers = forks.stdin, forks.stdout

        def run(
            script: Path, folder: Path, *arguments: str, warnings: str = "error"
        ) -> subprocess.CompletedProcess[str]:
            says = tmp_path_factory.mktemp("says")
            job = [str(script), str(folder), arguments, warnings, str(says)]
            print(json.dumps(job), file=jobs, flush=True)
            status = int(answers.readline())
            out, err = ((says / name).read_text("utf-8") for name in ("stdout", "stderr"))
            return subprocess.CompletedProcess(str(script), status, out, err)

        yield run
        jobs.close()


def node_module(path: str) -> Path:
    """Find a file of the test tools that npm installs."""
    if not (MODULES / path).exists():
        pytest.skip(f"{path} is missing: `npm ci --prefix tests` installs it")
    return MODULES / path


@pytest.fixture(scope="session")
def axe() -> str:
    return node_module(AXE).read_text(encoding="utf-8")


ALL = [*("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"), "best-practice"]
COLOUR = ["color-contrast", "link-in-text-block"]  # what another scheme may change


def axe_violations(
    page: Page, axe: str, within: str = "html", rules: Sequence[str] = ALL
) -> list[str]:
    """Ask axe, and give each element that breaks a rule of WCAG 2.2 AA or of good practice."""
    page.evaluate(axe)  # evaluated, not injected: the policy forbids scripts of strangers
    run = "([within, runOnly]) => axe.run(within, {runOnly, resultTypes: ['violations']})"
    found = page.evaluate(run, [within, list(rules)])["violations"]
    return [f"{v['id']}: {node['html']}" for v in found for node in v["nodes"]]

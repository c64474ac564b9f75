"""Cells are run and judged: what fails, warns, hangs, dies or draws by chance is a fault."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from coursemaker.forks import Prepared
from coursemaker.run import MOST_OUTPUT, run, text_of
from coursemaker.tutorial import Fault, read
from nbclient import NotebookClient
from nbformat import NotebookNode

SECONDS = 3


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared | None]:
    with Prepared() as process:
        yield process


def executed(cells: str, root: Path, prepared: Prepared | None, **options: object) -> NotebookNode:
    notebook = read(f"# %% [markdown]\n# # Title\n\n{cells}\n")
    run(notebook, root, prepared=prepared, **options)  # type: ignore[arg-type]
    return notebook


def printed(notebook: NotebookNode) -> list[str]:
    return [output.text for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("forked", [True, False])
def test_a_kernel_has_the_package_that_lies_under_the_root(
    tmp_path: Path, prepared: Prepared | None, forked: bool
) -> None:
    (tmp_path / "workflow.py").write_text("SLOPE = 0.7\n")
    data = tmp_path / "birds.csv"
    data.write_text("bird\n")
    cells = (
        "# %%\nfrom workflow import SLOPE\nprint(SLOPE)\n"
        "# %%\nimport os, pathlib\n"
        "print(os.listdir(), pathlib.Path('birds.csv').read_text())\n"
        '# %%\nimport torch\nprint(torch.get_num_threads(), hash("a"), os.environ["MPLBACKEND"])'
    )
    process = prepared if forked else None
    notebook = executed(cells, tmp_path, process, data=[data], seconds=60)
    shown = printed(notebook)
    assert shown[:2] == ["0.7\n", "['birds.csv'] bird\n\n"]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    code = "print(hash('a'))"
    alone = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert shown[2] == f"1 {alone.strip()} agg\n"


FAULTS = {
    "failing": (
        "# %%\ndef g(x):\n    return x / 0\n\ng(1)",
        ["Cell In[1], line 4", "return x / 0", "ZeroDivisionError: division"],
    ),
    "syntax": ("# %%\nfor in", ["SyntaxError", "for in"]),
    "hanging": ("# %%\nwhile True:\n    pass", ["longer than 3 s", "CELL_SECONDS", "while True"]),
    "dying": ("# %%\nimport os\nos._exit(1)", ["kernel died", "os._exit(1)"]),
    "warning": (
        "# %%\nimport warnings\nwarnings.warn('careful')",
        ["Cell In[1], line 2", "UserWarning: careful", "expect-warning"],
    ),
    "tame": ('# %% tags=["raises-exception"]\n1', ["Tagged raises-exception, but it ran"]),
    "calm": ('# %% tags=["expect-warning"]\n1', ["Tagged expect-warning"]),
    "shouting": (
        "# %%\nprint('la ' * 40_000)",
        ["Shows more than 100,000 characters, beginning with 'la la", "Show less."],
    ),
    "saying a long word": (
        "# %%\n'la ' * 40_000",
        ["Shows more than 100,000 characters, beginning with \"'la la"],
    ),
    "chance": (
        "# %%\nimport random\nrandom.random()",
        ["Draws from random, which nothing has seeded: call random.seed(…) first."],
    ),
    "chance after a seed of another": (
        "# %%\nimport random\nimport numpy\nnumpy.random.seed(1)\nrandom.random()",
        ["Draws from random, which nothing has seeded"],
    ),
    "chance of NumPy": (
        "# %%\nimport numpy as np\nnp.random.rand(2)",
        ["Draws from numpy.random, which nothing has seeded"],
    ),
    "leaving": (
        "# %%\nimport subprocess\nchild = subprocess.Popen(['sleep', '600'])",
        ["Leaves a process running: sleep 600. Wait for its end."],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_its_cell(tmp_path: Path, prepared: Prepared | None, name: str) -> None:
    cells, complaints = FAULTS[name]
    with pytest.raises(Fault) as fault:
        executed(cells, tmp_path, prepared, seconds=SECONDS)
    assert fault.value.cell == 1
    for complaint in complaints:
        assert complaint in str(fault.value)


def test_what_a_cell_left_running_ends_with_it(tmp_path: Path, prepared: Prepared | None) -> None:
    with pytest.raises(Fault, match="Leaves a process"):
        executed("# %%\nimport subprocess\nsubprocess.Popen(['sleep', '613'])", tmp_path, prepared)
    assert not [
        p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "613"]
    ]


def test_what_is_expected_is_no_fault(tmp_path: Path, prepared: Prepared | None) -> None:
    cells = (
        '# %% tags=["raises-exception"]\n1 / 0\n'
        '# %% tags=["expect-warning"]\nimport warnings\nwarnings.warn("careful")\n'
        "# %%\nimport random\nrandom.seed(1)\nvalue = random.random()\n"
        "# %%\nfor i in range(3):\n    print(i, end='\\r')\n    print(i, flush=True)\n"
        "print('all', end='\\r')\n"
    )
    notebook = executed(cells, tmp_path, prepared)
    assert notebook.cells[-1].outputs[0].text == "0\n1\n2\nall"
    assert len(notebook.cells[-1].outputs) == 1, "pieces are joined"


def test_text_without_end_is_not_kept(tmp_path: Path, prepared: Prepared | None) -> None:
    cells = "# %%\nfor _ in range(400):\n    print('la ' * 10_000, flush=True)"
    notebook = read(cells)
    with pytest.raises(Fault, match="Shows more than"):
        run(notebook, tmp_path, prepared=prepared)
    assert len(text_of(notebook.cells[0].outputs)) < 2 * MOST_OUTPUT


def test_a_process_that_has_ended_by_the_end_is_no_fault(
    tmp_path: Path, prepared: Prepared | None
) -> None:
    cells = (
        "# %%\nimport subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        "# %%\nchild.kill()\nprint(child.wait())\n"
        "# %%\nfrom multiprocessing.shared_memory import SharedMemory\n"
        "memory = SharedMemory(create=True, size=1)  # which starts a process that tidies up\n"
        "memory.close()\nmemory.unlink()\n"
    )
    assert printed(executed(cells, tmp_path, prepared)) == ["-9\n"]


def test_each_fork_has_the_path_and_the_environment_that_are_asked_for(
    tmp_path: Path, prepared: Prepared | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "workflow.py").write_text(f"NAME = {name!r}\n")
        monkeypatch.setenv("NAME", name)
        cells = "# %%\nimport os\nfrom workflow import NAME\nprint(NAME, os.environ['NAME'])\n"
        assert printed(executed(cells, tmp_path / name, prepared)) == [f"{name} {name}\n"]


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_forking_is_not_safe_a_kernel_starts_as_usual(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with Prepared() as process:
        assert process is None


@pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")
def test_a_prepared_process_that_was_killed_starts_anew(tmp_path: Path) -> None:
    with Prepared() as process:
        assert process
        assert printed(executed("# %%\nprint(1)", tmp_path, process)) == ["1\n"]
        for kernel in psutil.Process(process.process.pid).children():  # type: ignore[union-attr]
            kernel.wait(timeout=60)
        process.process.kill()  # type: ignore[union-attr]
        process.process.wait()  # type: ignore[union-attr]
        assert printed(executed("# %%\nprint(2)", tmp_path, process)) == ["2\n"]


@pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")
def test_a_prepared_process_that_cannot_start_is_a_fault(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')\n")
    with (
        Prepared() as process,
        pytest.raises(Fault, match=r"No kernel came up, twice: The process to fork from ended"),
    ):
        executed("# %%\n1", tmp_path, process)
    assert "no torch here" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")
def test_what_stops_a_fork_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program.py"
    program.write_text("raise ValueError('oh')\n")
    with Prepared() as process:
        assert process
        process.fork(str(program), [], str(tmp_path), dict(os.environ)).wait()
    assert "ValueError: oh" in capfd.readouterr().err


def test_a_kernel_that_never_comes_up_is_tried_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def refuse(client: NotebookClient) -> None:
        tries.append(1)
        client._cleanup_kernel()
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(NotebookClient, "start_new_kernel_client", refuse)
    with pytest.raises(Fault, match="No kernel came up, twice: Kernel died before"):
        executed("# %%\n1", tmp_path, None)
    assert len(tries) == 2


def test_a_folder_with_a_long_name_will_do(
    tmp_path: Path, prepared: Prepared | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("l" * (105 - len(str(tmp_path)) - 1))  # of a folder; a socket's has 107
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert printed(executed("# %%\nprint(1)", tmp_path, prepared, seconds=60)) == ["1\n"]
    assert list(deep.iterdir()) == []


def test_kernels_end_with_the_process_that_asked_for_them(tmp_path: Path) -> None:
    """Even where it is killed, and can do nothing about it."""
    program = f"""
from pathlib import Path
from coursemaker.forks import Prepared
from coursemaker.run import run
from coursemaker.tutorial import read
code = "import os, time, pathlib\\npid = pathlib.Path({str(tmp_path / "pid")!r})\\n"
code += "pid.write_text(str(os.getpid()))\\ntime.sleep(600)"
with Prepared() as prepared:
    run(read("# %%\\n" + code), Path({str(tmp_path)!r}), prepared=prepared)
"""
    with subprocess.Popen([sys.executable, "-c", program]) as asking:
        pid = tmp_path / "pid"
        while not (pid.exists() and pid.read_text()):
            assert asking.poll() is None
        kernel = psutil.Process(int(pid.read_text()))
        asking.kill()
    kernel.wait(timeout=60)

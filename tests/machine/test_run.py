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
from coursemaker.run import run
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
        ["Prints more than 100,000 characters, beginning with 'la la", "Print less."],
    ),
    "chance": (
        "# %%\nimport random\nrandom.random()",
        ["Draws from random, which nothing has seeded: call random.seed(…) first."],
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
    )
    notebook = executed(cells, tmp_path, prepared)
    assert notebook.cells[-1].outputs[0].text == "0\n1\n2\n"
    assert len(notebook.cells[-1].outputs) == 1, "pieces are joined"


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
    deep = tmp_path / ("long" * 30)
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

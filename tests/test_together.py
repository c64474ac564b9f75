"""Stage 7, together: the script that the page shows, run as its readers run it."""

from __future__ import annotations

import functools
import re
from html import unescape
from pathlib import Path

import pytest
import torch
from conftest import ROOT, Run, Site
from torch import nn

from workflow import evaluate, fit, read_checkpoint

PAGE = ROOT / "docs/together/index.md"
SCRIPT = ROOT / "docs/together/project.py"

# What the page's tables say of each task: outputs of the last layer, labels, loss.
NUMBERS = torch.arange(60.0).reshape(20, 3).sin()
TASKS = {
    "a number": (1, NUMBERS[:, :1], nn.MSELoss()),
    "*k* numbers": (3, NUMBERS, nn.MSELoss()),
    "yes or no": (1, (NUMBERS[:, :1] > 0).float(), nn.BCEWithLogitsLoss()),
    "one of *k* classes": (3, NUMBERS.argmax(dim=1), nn.CrossEntropyLoss()),
    "any of *k* labels": (3, (NUMBERS > 0).float(), nn.BCEWithLogitsLoss()),
}


@pytest.fixture(scope="module")
def terminal(run_script: Run) -> Run:
    return functools.partial(run_script, SCRIPT)


def shown(command: str) -> str:
    """What the page shows below a command."""
    found = re.search(rf"^\$ {re.escape(command)}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    assert found, f"{PAGE} doesn't show {command}"
    return found[1]


@pytest.fixture(scope="module")
def whole(terminal: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script ran from start to end."""
    folder = tmp_path_factory.mktemp("whole")
    done = terminal(folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "stdout").write_text(done.stdout, "utf-8")
    return folder


def test_the_script_prints_what_the_page_shows(whole: Path) -> None:
    assert (whole / "stdout").read_text("utf-8") == shown("python project.py")


def test_a_stopped_run_goes_on_bit_for_bit(terminal: Run, whole: Path, tmp_path: Path) -> None:
    first = terminal(tmp_path, "--epochs", "45")
    second = terminal(tmp_path, "--resume")
    printed = first.stdout.splitlines()[:-1] + second.stdout.splitlines()
    assert printed == (whole / "stdout").read_text("utf-8").splitlines()
    for name in ("last.pt", "best.pt"):
        mine, theirs = (read_checkpoint(folder / "runs" / name) for folder in (tmp_path, whole))
        assert mine["epoch"] == theirs["epoch"]
        assert mine["model"].keys() == theirs["model"].keys()
        for weights in theirs["model"]:
            assert torch.equal(mine["model"][weights], theirs["model"][weights])


def test_another_seed_is_another_run(terminal: Run, whole: Path, tmp_path: Path) -> None:
    done = terminal(tmp_path, "--seed", "0", "--epochs", "1", "--test")
    assert done.stdout.splitlines()[0] != shown("python project.py").splitlines()[0]
    assert re.fullmatch(r"best after 1 epochs: test \d\.\d{5}", done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--lr -1", "--lr is -1; expected more than 0"),
        ("--lr nan", "--lr is nan; expected more than 0"),
        ("--lr fast", "argument --lr: invalid float value: 'fast'"),
        ("--lr 5", "expected finite numbers. Try a smaller lr, such as 0.5"),
        ("--resume", "runs/last.pt does not exist; expected a file that save wrote"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    terminal: Run, tmp_path: Path, arguments: str, complaint: str
) -> None:
    done = terminal(tmp_path, *arguments.split())
    assert done.returncode != 0
    assert done.stderr.startswith("project.py: error: ")
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr.replace("\\", "/")


def test_the_page_shows_the_error_as_it_is(terminal: Run, tmp_path: Path) -> None:
    assert terminal(tmp_path, "--lr", "-1").stderr == shown("python project.py --lr -1")


def test_a_run_is_not_overwritten(terminal: Run, whole: Path) -> None:
    before = (whole / "runs/last.pt").read_bytes()
    done = terminal(whole)
    assert done.returncode != 0
    assert "last.pt exists. Add --resume, or give another --folder." in done.stderr
    assert (whole / "runs/last.pt").read_bytes() == before


def test_the_built_page_shows_the_script_and_offers_it(site: Site) -> None:
    script = SCRIPT.read_text("utf-8")
    page = (site.folder / "together/index.html").read_text("utf-8")
    assert script.strip() in unescape(re.sub(r"<[^>]*>", "", page))
    assert (site.folder / "together/project.py").read_text("utf-8") == script


def test_the_tutorial_writes_the_same_script() -> None:
    tutorial = (ROOT / "docs/together/tutorial.py").read_text("utf-8")
    assert f"project = '''\\\n{SCRIPT.read_text('utf-8')}'''\n" in tutorial


@pytest.mark.parametrize("task", TASKS)
def test_each_row_of_the_table_trains(task: str) -> None:
    outputs, y, loss_fn = TASKS[task]
    rows = (line.split(" | ") for line in PAGE.read_text("utf-8").splitlines())
    row = next(row for row in rows if row[0] == f"| {task}")
    assert row[1] == ("1" if outputs == 1 else "*k*")
    assert row[2].replace("<wbr>", "") == type(loss_fn).__name__
    torch.manual_seed(0)
    X = torch.randn(20, 2)
    model = nn.Linear(2, outputs)
    before = evaluate(model, (X, y), loss_fn=loss_fn)["loss"]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(model, (X, y), loss_fn=loss_fn, optimizer=optimizer, epochs=20)
    assert evaluate(model, (X, y), loss_fn=loss_fn)["loss"] < before

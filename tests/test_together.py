"""Stage 7, together: the script that the page shows, run as its readers run it."""

from __future__ import annotations

import functools
import re
import subprocess
from html import unescape
from pathlib import Path

import pytest
import torch
from conftest import ROOT, Run, Site
from torch import nn

from workflow import evaluate, fit, read_checkpoint, split

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


FLATS = "size,district,price\n" + "".join(
    f"{size},{'park' if size % 3 else 'centre'},{2000 * size + 50000 * (size % 3 > 0)}\n"
    for size in range(40, 100)
)


@pytest.fixture
def flats(tmp_path: Path) -> Path:
    """A table whose labels follow a rule, without noise."""
    (tmp_path / "flats.csv").write_text(FLATS, "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def whole(terminal: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script ran from start to end."""
    folder = tmp_path_factory.mktemp("whole")
    done = terminal(folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "stdout").write_text(done.stdout, "utf-8")
    return folder


def test_a_stopped_run_goes_on_bit_for_bit(terminal: Run, whole: Path, tmp_path: Path) -> None:
    first = terminal(tmp_path, "--epochs", "45")
    second = terminal(tmp_path, "--resume")
    printed = first.stdout.splitlines()[:-2] + second.stdout.splitlines()
    assert printed == (whole / "stdout").read_text("utf-8").splitlines()
    for name in ("last.pt", "best.pt"):
        mine, theirs = (read_checkpoint(folder / "runs" / name) for folder in (tmp_path, whole))
        assert mine["epoch"] == theirs["epoch"]
        assert mine["model"].keys() == theirs["model"].keys()
        for weights in theirs["model"]:
            assert torch.equal(mine["model"][weights], theirs["model"][weights])


def test_another_seed_is_another_run(terminal: Run, whole: Path, tmp_path: Path) -> None:
    done = terminal(tmp_path, "--seed", "0", "--epochs", "1", "--test")
    lines = done.stdout.splitlines()
    assert lines[0] != (whole / "stdout").read_text("utf-8").splitlines()[0]
    assert re.fullmatch(r"best after 1 epochs: test MAE [\d.]+ ± [\d.]+", lines[-2])


def test_it_learns_a_table_and_answers_for_new_rows(terminal: Run, flats: Path) -> None:
    done = terminal(flats, "flats.csv", "--label", "price", "--epochs", "300")
    assert (done.returncode, done.stderr) == (0, "")
    (flats / "new.csv").write_text("district,size\npark,50\ncentre,50\n", "utf-8")  # in any order
    name, *prices = terminal(flats, "predict", "new.csv").stdout.splitlines()
    assert name == "price"
    assert [float(price) for price in prices] == pytest.approx([150_000, 100_000], rel=0.01)


def test_the_scale_is_the_training_part_s_and_saved(terminal: Run, flats: Path) -> None:
    terminal(flats, "flats.csv", "--label", "price", "--epochs", "1")
    sizes = torch.arange(40.0, 100.0).unsqueeze(1)
    (train, _), *_ = split(sizes, sizes, fractions=(0.6, 0.2, 0.2))
    state = read_checkpoint(flats / "runs/best.pt")["model"]
    assert state["features.mean"][0].item() == pytest.approx(train.mean().item())
    assert state["features.spread"][0].item() == pytest.approx(train.std(correction=0).item())


@pytest.mark.parametrize(
    ("label", "also", "answer"), [("district", "", "park"), ("digit", "--categories=digit", "1")]
)
def test_it_learns_classes(
    terminal: Run, tmp_path: Path, label: str, also: str, answer: str
) -> None:
    rows = (f"{n},{'park' if n % 2 else 'centre'},{n % 2},{n % 2 + n / 1000}" for n in range(60))
    table = "\n".join(["number,district,digit,feature", *rows])
    (tmp_path / "table.csv").write_text(table, "utf-8")
    words = [*f"table.csv --label {label} --columns feature --epochs 200 {also}".split()]
    assert "validation accuracy 1 ± 0" in terminal(tmp_path, *words).stdout
    (tmp_path / "new.csv").write_text("feature\n1.05\n", "utf-8")
    assert terminal(tmp_path, "predict", "new.csv").stdout == f"{label}\n{answer}\n"


def test_a_column_that_never_changes_does_no_harm(terminal: Run, tmp_path: Path) -> None:
    rows = "".join(f"{n},3.3,{n}\n" for n in range(30))
    (tmp_path / "table.csv").write_text(f"x,same,y\n{rows}", "utf-8")
    assert "nan" not in terminal(tmp_path, "table.csv").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--lr -1", "Invalid learning rate: -1.0"),
        ("--lr inf", "lr of group 0 is inf; expected more than 0"),
        ("--lr fast", "argument --lr: invalid float value: 'fast'"),
        ("--lr 1e30", "expected finite numbers. Try a smaller lr"),
        ("--resume", "runs/last.pt does not exist; expected a file that save wrote"),
        ("predict", "the following arguments are required: data"),
        ("predict flats.csv", "runs/about.json is not there; expected a --folder that keeps a run"),
        ("flats.csv", "flats.csv, row 2 has no 'y'; expected it among size, district, price"),
        ("flats.csv --label price --columns area", "flats.csv, row 2 has no 'area'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    terminal: Run, flats: Path, arguments: str, complaint: str
) -> None:
    done = terminal(flats, *arguments.split())
    assert_says(done, complaint)


def assert_says(done: subprocess.CompletedProcess[str], complaint: str) -> None:
    assert done.returncode == 2
    assert done.stderr.startswith("project.py: error: ")
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr.replace("\\", "/")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (b"", "table.csv has no rows"),
        (b"a,y\n", "table.csv has no rows"),
        (b"a,y\n1,2\n\n3,\n", "table.csv, row 4, y is empty. Fill it in, or leave the row out."),
        (b"a,y\n1,2\n3\n", "table.csv, row 3, y is empty"),
        (b"a,y\n1,2\n,3\n", "table.csv, row 3, a is empty"),
        (b"a,y\n1,2\nNA,3\n", "table.csv, row 3, a is 'NA'; expected a number."),
        (b"a,y\n1,2\nnan,3\n", "table.csv, row 3, a is 'nan'; expected a number."),
        (b"a,y\n1,2,3\n", "table.csv, row 2 has more fields than row 1"),
        (b"a;y\n1;2\n", "table.csv, row 2 has no 'y'; expected it among a;y"),
        (b"a,y\n\xe9,2\n", "table.csv is no text in UTF-8"),
        (b"a,y\n" + b"".join(b"n%d,2\n" % n for n in range(60)), "a has 60 categories"),
    ],
)
def test_what_is_wrong_in_a_table_is_said_with_its_place(
    terminal: Run, tmp_path: Path, table: bytes, complaint: str
) -> None:
    (tmp_path / "table.csv").write_bytes(table)
    assert_says(terminal(tmp_path, "table.csv"), complaint)


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        ("size,district\n50,harbour\n", "new.csv, row 2, district is 'harbour'; expected one of"),
        ("size\n50\n", "new.csv, row 2 has no 'district'; expected it among size"),
        ("size,district\nlarge,park\n", "new.csv, row 2, size is 'large'; expected a number"),
    ],
)
def test_new_rows_that_it_cannot_answer_for_are_refused(
    terminal: Run, flats: Path, new: str, complaint: str
) -> None:
    terminal(flats, "flats.csv", "--label", "price", "--epochs", "1")
    (flats / "new.csv").write_text(new, "utf-8")
    assert_says(terminal(flats, "predict", "new.csv"), complaint)


def test_a_run_does_not_go_on_with_another_table(terminal: Run, flats: Path) -> None:
    terminal(flats, "flats.csv", "--label", "price", "--epochs", "1")
    words = ["flats.csv", "--label", "price", "--columns", "size", "--resume"]
    assert_says(terminal(flats, *words), "runs/about.json describes other columns")


def test_a_run_is_not_overwritten(terminal: Run, whole: Path) -> None:
    before = (whole / "runs/last.pt").read_bytes()
    done = terminal(whole)
    assert done.returncode != 0
    assert "last.pt exists. Add --resume, or give another --folder." in done.stderr
    assert (whole / "runs/last.pt").read_bytes() == before


def test_the_built_page_shows_the_script_and_what_it_prints_and_offers_it(
    site: Site, whole: Path
) -> None:
    script = SCRIPT.read_text("utf-8")
    page = unescape(
        re.sub(r"<[^>]*>", "", (site.folder / "together/index.html").read_text("utf-8"))
    )
    assert script.strip() in page
    assert (whole / "stdout").read_text("utf-8").strip() in page
    assert (site.folder / "together/project.py").read_text("utf-8") == script


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

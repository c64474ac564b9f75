"""A tutorial's source: what is read of it, what is wrong, and what its reader takes away."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import nbformat
import pytest
from coursemaker.tutorial import Around, Fault, describe, downloads, files_named, read
from nbformat.v4 import new_output

HEAD = "# ---\n# description: A line.\n# ---\n\n# %% [markdown]\n# # A line\n"
EXERCISE = """\

# %% [markdown] tags=["exercise"]
# Double a number.

# %% tags=["solution"]
def double(number):
    # starter: # yours
    # starter:
    # starter: return None
    return 2 * number

# %% tags=["check"]
print("doubled:", double(21))

# %% [markdown] tags=["hint"]
# A number and itself.

# %% [markdown] tags=["solution"]
# Twice is *double*.
"""


def test_what_is_for_the_page_is_taken_out_of_the_code() -> None:
    source = (
        f"{HEAD}\n# %%\n# alt: A line\n#   that climbs.\n# alt: Another.\n# caption: Two.\nplot()\n"
        "\n# %%\n# publish: numbers\nprint({})\n"
    )
    _, _, drawn, published = read(source).cells
    assert drawn.source == "plot()"
    assert drawn.metadata == {"alt": ["A line that climbs.", "Another."], "caption": ["Two."]}
    assert published.source == "print({})"
    assert published.metadata.publish == ["numbers"]


def test_a_solution_is_what_runs_and_the_starter_what_the_reader_gets() -> None:
    cell = read(HEAD + EXERCISE).cells[3]
    assert cell.source == "def double(number):\n    return 2 * number"
    assert cell.metadata.starter == "def double(number):\n    # yours\n\n    return None"


@pytest.mark.parametrize(
    ("cells", "cell", "complaint"),
    [
        ('# %% tags=["solutoin"]\n1', "code cell 1 (from line 10)", "Unknown tag solutoin; there"),
        (
            "# %% [markdown] Lost words\n# Kept.",
            "markdown cell 2 (from line 10)",
            "Text on a cell's",
        ),
        ("# %% Lost words\n1", "code cell 1 (from line 10)", "mark is on no page: 'Lost words'"),
        (
            EXERCISE.replace("# starter:", "# yours:"),
            "code cell 1 (from line 13)",
            "A solution without a starter: `# starter: …` shows where it begins.",
        ),
        (
            '# %% tags=["solution"]\n# starter: 1\n2',
            "code cell 1 (from line 10)",
            "Expected a markdown cell tagged exercise. An exercise is a markdown cell tagged exer",
        ),
        (
            EXERCISE.partition('# %% tags=["check')[0],
            "code cell 1 (from line 13)",
            "Expected a code cell tagged check.",
        ),
    ],
)
def test_a_fault_says_where_it_is(cells: str, cell: str, complaint: str) -> None:
    source = f"{HEAD}\n\n{cells.strip()}\n"
    with pytest.raises(Fault) as fault:
        read(source)
    said = describe(fault.value, source)
    assert said.startswith(cell), said
    assert complaint in said


# What the reader takes away


def cells_of(notebook: str) -> list[str]:
    loaded = nbformat.reads(notebook, 4)
    nbformat.validate(loaded)
    assert loaded.metadata.kernelspec.name == "python3"
    assert all(not cell.get("outputs") for cell in loaded.cells)
    return [cell.source for cell in loaded.cells]


def test_the_reader_gets_the_task_and_a_second_notebook_the_solution() -> None:
    notebook = read(HEAD + EXERCISE)
    notebook.cells[-3].outputs = [new_output("stream", text="as it was run")]
    made = downloads(notebook)
    assert set(made) == {".py", ".ipynb", "-solutions.ipynb"}
    task, solved = cells_of(made[".ipynb"]), cells_of(made["-solutions.ipynb"])
    assert task[2:] == [
        "**Exercise 1.** Double a number.",
        "def double(number):\n    # yours\n\n    return None",
        'print("doubled:", double(21))',
        "<details><summary>Hint</summary>\n\nA number and itself.\n\n</details>",
    ]
    assert solved[3] == "def double(number):\n    return 2 * number"
    assert solved[-1] == "Twice is *double*."
    script = jupytext.reads(made[".py"], "py:percent")
    assert [cell.source for cell in script.cells[2:]][:3] == task[2:5]
    assert "starter" not in made[".py"] + made["-solutions.ipynb"]
    assert "2 * number" not in made[".py"] + made[".ipynb"]
    assert made[".py"].startswith("# ---\n# description: A line.\n# ---\n"), "no tool's version"
    given = nbformat.reads(made[".ipynb"], 4).cells[3]
    assert given.metadata.tags == ["exercise"], "no solution is in it"


def test_nothing_to_solve_is_no_second_notebook() -> None:
    assert set(downloads(read(HEAD))) == {".py", ".ipynb"}


def test_what_only_the_page_needs_stays_there() -> None:
    source = f"{HEAD}\n# %%\n# alt: It climbs.\nplot()\n\n# %%\n# publish: numbers\nprint('{{}}')\n"
    made = downloads(read(source))
    for download in made.values():
        assert "plot()" in download
        assert "alt:" not in download
        assert "It climbs" not in download
        assert "publish" not in download
        assert "print" not in download


def test_links_lead_to_the_site_or_are_plain_text() -> None:
    source = (
        f"{HEAD}#\n# See [the page](index.md#top), [`fit`][workflow.fit], `x[0][1]`, "
        "![a](b.png) and [torch](https://pytorch.org).\n"
    )
    known = {"index.md#top": "https://x.org/#top", "workflow.fit": "https://x.org/api/#fit"}
    known["https://pytorch.org"] = "https://pytorch.org"
    there = cells_of(downloads(read(source), Around(known.get))[".ipynb"])[1]
    assert "[the page](https://x.org/#top), [`fit`](https://x.org/api/#fit), `x[0][1]`" in there
    assert "![a](b.png) and [torch](https://pytorch.org)." in there
    plain = cells_of(downloads(read(source))[".ipynb"])[1]
    assert "See the page, `fit`, `x[0][1]`, ![a](b.png) and torch." in plain


def test_a_notebook_begins_by_making_sure_of_what_it_needs() -> None:
    def address(name: str) -> str | None:
        return f"https://x.org/{name}"

    around = Around(address, "someone/course", ["birds.csv"])
    first = cells_of(downloads(read(HEAD), around)[".ipynb"])[0]
    assert "from workflow import fit" in first, "another project has the name `workflow`"
    assert "%pip install --quiet git+https://github.com/someone/course" in first
    assert 'urlretrieve("https://x.org/birds.csv", "birds.csv")' in first
    alone = cells_of(downloads(read(HEAD), Around(files=["birds.csv"]))[".ipynb"])[0]
    assert "pip install it from its folder" in alone
    assert "urlretrieve" not in alone
    compile(alone, "cell", "exec")


def test_a_script_goes_on_after_a_cell_that_is_meant_to_fail(
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = f'{HEAD}\n# %% tags=["raises-exception"]\nprint(1)\n[][1]\n\n# %%\nprint(2)\n'
    exec(downloads(read(source))[".py"], {})
    assert capsys.readouterr().out == "1\nIndexError: list index out of range\n2\n"


def test_downloads_are_the_same_each_time() -> None:
    assert downloads(read(HEAD + EXERCISE)) == downloads(read(HEAD + EXERCISE))
    ids = [cell["id"] for cell in json.loads(downloads(read(HEAD))[".ipynb"])["cells"]]
    assert ids == [f"cell-{number}" for number in range(len(ids))]


def test_files_beside_a_tutorial_are_those_that_its_code_names(tmp_path: Path) -> None:
    for name in ("birds.csv", "other.csv", "index.md", "tutorial.py"):
        (tmp_path / name).touch()
    (tmp_path / "runs").mkdir()
    found = files_named('open("birds.csv"); "index.md"; "runs"', tmp_path)
    assert [path.name for path in found] == ["birds.csv"]

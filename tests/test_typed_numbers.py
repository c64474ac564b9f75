"""Numbers in prose, tables, questions, drawings and alt texts: computed, or marked as given."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT
from coursemaker.numbers import Cell, cells, main, typed_in_tutorial, typed_on_page
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if not any(part.startswith("_") or part == "api" for part in path.relative_to(ROOT).parts)
)
QUIZ = """\
/// quiz | how-low
How low does 0.1 get?

- (x) To 0.2

    It was 0.3 before.

- ( ) To 0.4

    After 500 epochs.
///
"""
EXPLORABLE = """\
/// explorable | scrub
    label: Scrub 300 epochs
    narrow: 44.8rem
    wide: 25.4rem
///
"""


def numbers(found: list[str]) -> list[str]:
    return [line.split(" in “")[0] for line in found]


# On explanation pages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 0.287 now.", ["0.287"]),
        ("At the end it is 0.287.", ["0.287"]),
        ("It is 0.056, then 0.287: more.", ["0.056", "0.287"]),
        ("(0.287)", ["0.287"]),
        ("y = 0.7x, 200th, 1.5e-3 and 1e23", ["0.7", "200", "1.5e-3", "1e23"]),
        ("After 1000 or 10,000 epochs", ["1000", "10,000"]),
        ("It falls to −0.4 or -0.8, by 0.1–0.3", ["−0.4", "-0.8", "0.1", "0.3"]),
        ("In 99 of 100", ["100"]),
        ("float32, L2, R², H100, 2.13.0, 4:20:14, x-100", ["100"]),
        ("It is {{ quiz-training.never_50 }} at last.", []),
        ("# 0.25 of it", ["0.25"]),
        ("*0.25* and `0.75`", ["0.25", "0.75"]),
        ("> 0.25", ["0.25"]),
        ("| loss |\n|---|\n| 0.25 |", ["0.25"]),
        ("**Term**\n:   It is 0.25.", ["0.25"]),
        ('??? note "Over 0.25"\n\n    Up to 0.75.', ["0.25", "0.75"]),
        (r"\[ y = 0.7x + 0.3 \]", ["0.7", "0.3"]),
        ("![It is 0.25](x.png) [x](y-0.25.md){ #z-0.25 }", ["0.25"]),
        ('<svg viewBox="0 0 340.5 100"><desc>To 0.25.</desc><text x="2.5">0.5</text></svg>', None),
        ("<p>It is <b>0.25</b>.</p>", ["0.25"]),
        (QUIZ, ["0.1", "0.2", "0.4", "0.3", "500"]),
        (EXPLORABLE, ["300"]),
        ("```python\nlr = 0.25  # of 0.5\n```\n\nA rate of 0.25, or 0.5.", []),
        ("```python\nlr = 0.25\n```\n\nA rate of 0.26.", ["0.26"]),
        ("---\ndescription: It is 0.25.\n---\n", ["0.25"]),
        ("---\ngiven: [0.7, 1000, -0.5, 1e-5]\n---\n0.70, 1,000, −0.5, 1e-5", []),
        ("---\ngiven: [0.7]\n---\n0.7 and 0.71", ["0.71"]),
        ("---\ngiven: [-0.5]\n---\nIt falls by 0.5.", []),
        ("---\ngiven: [0.7, 0.3]\n---\n0.7", ["0.3, which is given, but not on the page"]),
    ],
)
def test_a_typed_number_is_found_and_no_other(text: str, expected: list[str] | None) -> None:
    expected = ["0.25", "0.5"] if expected is None else expected
    assert numbers(typed_on_page(text)) == expected


def test_the_words_around_it_are_named() -> None:
    assert typed_on_page("It fell *to* `0.25` by then.") == ["0.25 in “It fell to 0.25 by then.”"]


def test_a_drawing_and_code_that_are_included_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text(
        '<svg>\n<g transform="scale(2.5)"><text>0.25</text></g>\n</svg>', encoding="utf-8"
    )
    (tmp_path / "x.py").write_text("lr = 0.5\n", encoding="utf-8")
    page = '<figure>\n--8<-- "x.svg"\n</figure>\n\n```python\n--8<-- "x.py"\n```\n\n0.5'
    assert numbers(typed_on_page(page, tmp_path)) == ["0.25"]


def test_given_is_a_list_of_numbers() -> None:
    for given in ("0.7", "[a lot]", "[true]"):
        with pytest.raises(ValueError, match=r"given: .*; expected numbers, as in `\[0.7, 1000\]`"):
            typed_on_page(f"---\ngiven: {given}\n---\n0.7")


def test_a_page_is_checked_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text("Nothing.", encoding="utf-8")
    bad.write_text("It is 0.25.", encoding="utf-8")
    assert main([good]) == 0
    assert main([good, bad]) == 1
    assert f"{bad}: 0.25 in “It is 0.25.”\n1 typed numbers\n" in capsys.readouterr().out


# In tutorials

TUTORIAL = [
    Cell("raw", "---\ndescription: Fit a line.\ngiven: [42]\n---"),
    Cell("markdown", "# A line\n\nA rate of 0.05, with the seed 42."),
    Cell("code", "lr = 0.05  # not 0.07\nprint(loss)", "loss 0.31288, slope -0.4"),
    Cell("markdown", "It began at 0.313.\n\n## Later"),
    Cell("code", "plot()", "", ["A curve falls from 0.75 to 0.020."]),
    Cell("code", "print(losses)", "0.7512 0.0198 1000 1.13e+23"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At 0.75, 0.020 and 0.0198, over 1,000 steps, 1.1e23.", []),
        ("At 0.76.", ["0.76"]),
        ("At 0.021.", ["0.021"]),
        ("At 0.0197.", ["0.0197"]),
        ("After 1001 steps.", ["1001"]),
        ("At 1.2e23.", ["1.2e23"]),
        ("At −0.75.", ["−0.75"]),
        ("At 0.8.", ["0.8"]),  # rounded to one digit, too many numbers are near
        ("It began at 0.313.", ["0.313"]),  # that was said above
        ("A rate of 0.05.", ["0.05"]),  # and so was that
        ("```python\nlr = 0.125\n```\n\nA rate of 0.125.", []),
    ],
)
def test_the_section_vouches_for_its_numbers(text: str, expected: list[str]) -> None:
    assert numbers(typed_in_tutorial([*TUTORIAL, Cell("markdown", text)])) == expected


def test_what_comes_after_the_next_heading_vouches_for_nothing() -> None:
    assert numbers(typed_in_tutorial([Cell("markdown", "It is 0.05."), *TUTORIAL])) == ["0.05"]


def test_a_comment_vouches_for_nothing() -> None:
    said = [*TUTORIAL[:3], Cell("markdown", "Not 0.07.")]
    assert numbers(typed_in_tutorial(said)) == ["0.07"]


def test_a_number_vouches_for_its_size() -> None:
    assert typed_in_tutorial([*TUTORIAL[:3], Cell("markdown", "−0.4 is minus 0.40.")]) == []


def test_alt_texts_and_captions_are_checked() -> None:
    cell = Cell("code", "plot()", "", ["A curve falls from 0.76 to 0.020."])
    assert numbers(typed_in_tutorial([*TUTORIAL, cell])) == ["0.76"]


def test_the_description_is_checked() -> None:
    described = TUTORIAL[0]._replace(source="---\ndescription: Fit 0.25.\ngiven: [42]\n---")
    assert numbers(typed_in_tutorial([described, *TUTORIAL[1:]])) == ["0.25"]


def test_a_notebook_is_read_as_it_was_run() -> None:
    svg = "<svg><text>0.875</text></svg>"
    code = new_code_cell("1 / 8")
    code.metadata |= {"alt": ["A bar of 0.125."], "caption": ["A bar of 0.625."]}
    code.outputs = [
        new_output("stream", name="stdout", text="0.25\n"),
        new_output("execute_result", data={"text/plain": "0.125"}),
        new_output("display_data", data={"text/html": "<b>0.375</b>", "text/plain": "<Table>"}),
        new_output("display_data", data={"image/svg+xml": svg, "text/plain": "<Figure 0.875>"}),
        new_output("error", ename="E", evalue="", traceback=["E: \x1b[31m0.5\x1b[0m"]),
    ]
    prose = new_markdown_cell("0.25 0.125 0.375 0.5, but 0.875")
    notebook = new_notebook(cells=[code, prose])
    assert numbers(typed_in_tutorial(cells(notebook))) == ["0.625", "0.875"]


# On this site


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "docs")))
def test_no_page_has_a_typed_number(path: Path) -> None:
    assert typed_on_page(path.read_text(encoding="utf-8"), ROOT) == []


def test_no_tutorial_has_a_typed_number(executed: dict[str, NotebookNode]) -> None:
    found = {uri: typed_in_tutorial(cells(notebook)) for uri, notebook in executed.items()}
    assert {uri: numbers for uri, numbers in found.items() if numbers} == {}
    assert len(found) >= 16

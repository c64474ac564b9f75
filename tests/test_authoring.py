"""The page for authors: each of its examples is run and rendered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from coursemaker import page, run, tutorial
from coursemaker.numbers import FRONT_MATTER, cells, typed_in_tutorial, typed_on_page
from markdown import Markdown

GUIDE = (ROOT / "docs/_authoring.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"(?ms)^(`{3,})(\w+)\n(.*?)^\1$", GUIDE)
PAGES = [text for _, kind, text in EXAMPLES if kind == "markdown"]
SOURCE = "\n\n".join(text.strip() for _, kind, text in EXAMPLES if kind == "python")
NOTATION = re.compile(r"{{|}}|///|--8<--|\( \)|\(x\)|# (?:%%|alt|caption|publish|starter)")


@pytest.fixture(scope="module")
def made() -> tuple[Any, page.Page]:
    notebook = tutorial.read(SOURCE)
    run.run(notebook, ROOT)
    return notebook, page.write(notebook)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (drawing,) = (text for _, kind, text in EXAMPLES if kind == "svg")
    (path,) = re.findall('--8<-- "(.+)"', GUIDE)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(drawing, encoding="utf-8")
    return tmp_path


def rendered(text: str, made: page.Page, folder: Path) -> str:
    shown = {"name": "shown", "class": "shown", "format": page.shown}
    options: dict[str, dict[str, Any]] = {
        "coursemaker.published": {"published": made.published},
        "coursemaker.glossary": {
            "glossary": str(ROOT / "docs/reference/glossary.md"),
            "link": "reference/glossary.md",
        },
        "pymdownx.arithmatex": {"generic": True},
        "pymdownx.snippets": {"base_path": [str(folder)], "check_paths": True},
        "pymdownx.superfences": {"custom_fences": [shown]},
    }
    more = ["admonition", "attr_list", "tables", "pymdownx.details"]
    extensions = [*more, "coursemaker.formulas", "coursemaker.quiz", *options]
    html = Markdown(extensions=extensions, extension_configs=options).convert(
        FRONT_MATTER.sub("", text)
    )
    assert not NOTATION.search(html)
    return html


def test_the_tutorial_runs_and_becomes_a_page(made: tuple[Any, page.Page], folder: Path) -> None:
    html = rendered(made[1].markdown, made[1], folder)
    assert html.count("<figure") == 1
    assert "A line with three of its points." in html
    assert "A straight blue line climbs from the lower left to the upper right, through" in html
    assert "TypeError: can only concatenate list" in html
    assert re.findall(r'<details class="(\w+)">', html) == ["code", "check", "hint", "solution"]
    assert "height = 0.0" in re.sub("<.*?>", "", html)
    assert list(made[1].published) == ["line"]


def test_its_numbers_are_in_order(made: tuple[Any, page.Page], folder: Path) -> None:
    assert typed_in_tutorial(cells(made[0])) == []
    for text in PAGES:
        assert typed_on_page(text, folder) == []


@pytest.mark.parametrize(
    ("begin", "parts"),
    [
        ("---", ["<td>0.7</td>", "ends at 1.4."]),
        ("/// quiz", ['<form class="quiz"', "By 0.7</span>", "That is what the weight says."]),
        ("/// explorable", ["<figure", "The same line, by itself.", "--narrow: 38rem; --wide: 23"]),
        ("<figure", ["climbs by 0.7 for each", ">0.7 for each step</text>"]),
        ("The line is", ["<math", 'class="term"', '<em class="train">training data</em>']),
    ],
)
def test_a_page_s_examples_become_what_they_are_for(
    begin: str, parts: list[str], made: tuple[Any, page.Page], folder: Path
) -> None:
    (text,) = (text for text in PAGES if text.startswith(begin))
    html = rendered(text, made[1], folder)
    assert [part for part in parts if part not in html] == []


def test_no_example_is_forgotten() -> None:
    assert {kind for _, kind, _ in EXAMPLES} == {"python", "markdown", "svg"}
    assert len(PAGES) == 5
    tags = re.findall(r"`([a-z-]+)`", "".join(re.findall(r"(?m)^\| `.*?\|", GUIDE)))
    assert set(tags) == tutorial.TAGS

"""How long a page takes: 200 words a minute, and twenty lines of code."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import pytest
from conftest import ROOT, STAGES

WORDS, LINES = 200, 20  # a minute
UNREAD = {"check", "collapse", "hint", "solution"}  # folded, but for the code of a solution
FENCE = re.compile(r"(?ms)^ *```.*?\n(.*?)^ *```$")
MARKUP = re.compile(r"(?s)\A---\n.*?\n---\n|<[^>]+>|\]\([^)]*\)|\{[^{}]*\}|--8<--.*?\n")
ABOUT = re.compile(r"(?m)^(?:# )?About (\d+) minutes\b")
PAGES = [f"{stage}/{name}" for stage in STAGES for name in ("index.md", "tutorial.py")]


def reading_time(path: Path) -> float:
    """In minutes, as a reader meets it: without what is folded."""
    prose, code = [], []
    if path.suffix == ".md":
        prose.append(path.read_text(encoding="utf-8"))
    else:
        for cell in jupytext.read(path).cells:
            folded = UNREAD & set(cell.metadata.get("tags", []))
            if cell.cell_type == "markdown" and not folded:
                prose.append(cell.source)
            elif cell.cell_type == "code" and folded <= {"solution"}:
                code.append(cell.source)
    text = "\n".join(prose)
    code += FENCE.findall(text)
    words = re.findall(r"[\w’'.-]*\w", MARKUP.sub(" ", FENCE.sub("", text)))
    lines = [line for block in code for line in block.splitlines() if line.strip()]
    return len(words) / WORDS + len(lines) / LINES


def said(path: Path) -> int:
    found = ABOUT.search(path.read_text(encoding="utf-8"))
    assert found, f"{path} doesn't say how many minutes it takes."
    return int(found[1])


@pytest.mark.parametrize("page", [*PAGES, "start.md"])
def test_a_page_takes_about_as_long_as_it_says(page: str) -> None:
    path = ROOT / "docs" / page
    assert said(path) == pytest.approx(reading_time(path), rel=0.1, abs=1)


def test_start_says_how_long_all_stages_take() -> None:
    hours = re.search(r"about (\w+) hours", (ROOT / "docs/start.md").read_text(encoding="utf-8"))
    total = sum(said(ROOT / "docs" / page) for page in PAGES) / 60
    assert hours
    assert hours[1] == ["two", "three", "four", "five"][round(total) - 2]

"""The course: its code runs when copied, and it teaches every topic that it set out to teach."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import ROOT, Site

STAGES = ["data", "models", "training", "evaluation", "experiments", "checkpoints", "together"]
TOPICS = ROOT / "tests/topics.md"
DECIMAL = r"(?<![\w.])\d+\.\d{3,}(?![\w.])"


def run(script: Path, folder: Path) -> str:
    """Run a file as its reader would, in a folder of its own; a warning is a failure."""
    shutil.copy(script, folder / "copied.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", "copied.py"],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_a_tutorial_is_plain_python_and_its_solutions_pass_their_checks(
    stage: str, tmp_path: Path
) -> None:
    source = ROOT / f"docs/{stage}/tutorial.py"
    checks = source.read_text(encoding="utf-8").count('tags=["check"]')
    printed = run(source, tmp_path)
    assert checks >= 3
    assert len(re.findall(r"(?m)^Right\.", printed)) == checks
    assert "Not yet" not in printed


@pytest.mark.parametrize("stage", STAGES)
def test_a_downloaded_script_runs_and_waits_for_its_reader(
    stage: str, site: Site, tmp_path: Path
) -> None:
    script = site.folder / f"{stage}/tutorial/tutorial.py"
    printed = run(script, tmp_path)
    checks = script.read_text(encoding="utf-8").count('tags=["check"]')
    assert printed.count("Not yet") >= checks
    assert "Right." not in printed


def test_a_downloaded_notebook_has_the_same_code_and_no_output(site: Site) -> None:
    for stage in STAGES:
        folder = site.folder / stage / "tutorial"
        notebook = json.loads((folder / "tutorial.ipynb").read_text(encoding="utf-8"))
        script = (folder / "tutorial.py").read_text(encoding="utf-8")
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert "import workflow" in "".join(code[0]["source"])
        assert all("".join(cell["source"]) in script for cell in code[1:])
        assert not any(cell["outputs"] for cell in code)
        solved = (folder / "tutorial-solutions.ipynb").read_text(encoding="utf-8")
        hidden = script.count('tags=["check"]')  # an explanation each
        assert len(json.loads(solved)["cells"]) == len(notebook["cells"]) + hidden
        assert "# starter:" not in script + solved


def test_the_example_on_the_first_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    code, shown = re.findall(r"(?s)```(?:python|\{ \.text.*?\})\n(.*?)```", text)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    assert run(tmp_path / "example.py", tmp_path) == shown


@pytest.mark.parametrize("stage", STAGES)
def test_numbers_in_an_explanation_are_printed_by_a_tutorial(stage: str, site: Site) -> None:
    text = (ROOT / f"docs/{stage}/index.md").read_text(encoding="utf-8")
    prose = re.sub(r"(?s)<figure.*?</figure>|```.*?```|^---.*?^---", "", text)
    pages = [site.folder / other / "tutorial/index.html" for other in STAGES]
    printed = re.findall(DECIMAL, "".join(page.read_text(encoding="utf-8") for page in pages))
    quoted = set(re.findall(DECIMAL, prose))
    places = {number: len(number.partition(".")[2]) for number in quoted}
    shown = {f"{float(value):.{n}f}" for value in printed for n in set(places.values())}
    assert quoted - shown == set()


class Headings(HTMLParser):
    """The text of each heading, without the link beside it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = self.link = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.inside = True
            self.found.append("")
        self.link = self.link or ("class", "headerlink") in attrs

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and not re.fullmatch("h[1-6]", tag)
        self.link = self.link and tag != "a"

    def handle_data(self, data: str) -> None:
        if self.inside and not self.link:
            self.found[-1] += data


def test_every_topic_of_the_notes_is_taught_where_the_table_says(site: Site) -> None:
    lines = TOPICS.read_text(encoding="utf-8").splitlines()
    rows = [[c.strip() for c in ln.strip("|").split("|")] for ln in lines if ln.startswith("| ")]
    topics = rows[2:] if rows[1][0].startswith("-") else rows[1:]
    missing = []
    for topic, page, heading in topics:
        html = (site.folder / page / "index.html").read_text(encoding="utf-8")
        found = {re.sub(r"\s+", " ", text).strip() for text in Headings(html).found}
        if heading not in found:
            missing.append(f"{topic}: no heading {heading!r} on /{page}")
    assert missing == []
    assert len(topics) >= 80

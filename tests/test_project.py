"""A project of one's own: the reference run, the code to start from, and the sheet to print."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import jupytext
import matplotlib.pyplot as plt
import pytest
from conftest import ROOT, Run, Site
from playwright.sync_api import Page

from workflow import choose, run

PAGE = (ROOT / "docs/project/index.md").read_text("utf-8")


def test_the_reference_run_repeats_beside_its_data(
    site: Site, run_script: Run, tmp_path: Path
) -> None:
    """As a reader has it: the script and the table, both downloaded into one folder."""
    shutil.copy(site.folder / "project/penguins.csv", tmp_path)
    done = run_script(site.folder / "project/tutorial/tutorial.py", tmp_path)
    assert done.returncode == 0, done.stderr
    report = re.search(r"Result     \d+ ± \d+ g \(test MAE, 68 birds", done.stdout)
    assert report
    page = (site.folder / "project/tutorial/index.html").read_text("utf-8")
    assert report[0] in page


def test_the_race_is_undecided_on_splits_that_the_reference_run_did_not_make(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT / "docs/project")  # where the table is
    names: dict[str, Any] = {}
    for cell in jupytext.read(ROOT / "docs/project/tutorial.py").cells:
        if "choose(results" in cell.source:
            break
        if cell.cell_type == "code" and "run(experiment" not in cell.source:
            exec(cell.source, names)
        elif cell.cell_type == "code" and "def experiment" in cell.source:
            exec(cell.source.partition("\nbaselines = ")[0], names)
    plt.close("all")
    models = [{"model": name} for name in ("formula", *names["HIDDEN"])]
    results = run(names["experiment"], models, seeds=range(20, 40))
    choice = choose(results, by="validation_MAE")
    assert len(choice.undecided) == len(models) - 1


def test_the_rubric_adds_up() -> None:
    rubric = PAGE.partition("## The rubric")[2]
    lines = re.findall(r"(?m)^\| [A-Z].*\|$", rubric)
    points = re.search(r"From 18 of (\d+) on", rubric)
    assert points
    assert 2 * len(lines) == int(points[1])
    tutorial = (ROOT / "docs/project/tutorial.py").read_text("utf-8")
    assert f"of {points[1]} points" in tutorial


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_checklist_prints_on_one_page(paper: str, page: Page) -> None:
    page.goto("project/checklist/")
    pdf = page.pdf(format=paper, prefer_css_page_size=False)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1

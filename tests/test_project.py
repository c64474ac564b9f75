"""A project of one's own: the reference run, the code to start from, and the sheet to print."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Run, Site
from playwright.sync_api import Page

PAGE = (ROOT / "docs/project/index.md").read_text("utf-8")


def test_the_reference_run_repeats_beside_its_data(
    site: Site, run_script: Run, tmp_path: Path
) -> None:
    """As a reader has it: the script and the table, both downloaded into one folder."""
    shutil.copy(site.folder / "project/penguins.csv", tmp_path)
    done = run_script(site.folder / "project/tutorial/tutorial.py", tmp_path)
    assert done.returncode == 0, done.stderr
    report = re.search(r"Result     (\d+) g \(test MAE, 68 birds", done.stdout)
    assert report
    page = (site.folder / "project/tutorial/index.html").read_text("utf-8")
    assert report[0] in page


def test_the_way_into_the_script_reads_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = re.search(r"(?s)``` \{ \.python \}\n(.*?)```", PAGE)
    assert code
    monkeypatch.chdir(tmp_path)
    with Path("table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("length", "width", "weight"), (1.5, 2, 3), (4, 5, 6.25)])
    names: dict[str, Any] = {}
    exec("import csv\nimport workflow\n" + code[1], names)
    X, y = names["make_data"]()
    assert torch.equal(X, torch.tensor([[1.5, 2.0], [4.0, 5.0]]))
    assert torch.equal(y, torch.tensor([[3.0], [6.25]]))


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

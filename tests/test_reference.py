"""The reference pages: the cheat sheet runs as printed, and what it says of errors is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Site
from playwright.sync_api import Page
from torch import nn

SHEET = (ROOT / "docs/reference/cheat-sheet.md").read_text("utf-8")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the sheet's blocks define, run one after the other in an empty folder."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", SHEET, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)
    return names


def test_the_cheat_sheet_runs_and_its_numbers_are_true(names: dict[str, Any]) -> None:
    numbers = re.findall(r"\d\.\d{5}", SHEET)
    assert numbers == [f"{names['validation_loss']:.5f}", f"{names['baseline']:.5f}"]
    assert names["best_lr"] == 0.1
    assert names["test_loss"] == names["score"](names["model"], names["X_test"], names["y_test"])


def test_the_cheat_sheet_quotes_pytorch() -> None:
    quoted = re.findall(r"^\*\*(.+)\*\*\n:", SHEET, flags=re.MULTILINE)
    assert len(quoted) == 5
    shapes, dtype, _, target, twice = quoted  # without a second device, no error about it
    layer = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match=shapes):
        layer(torch.zeros(4))
    with pytest.raises(RuntimeError, match=dtype):
        layer(torch.zeros(4, 1, dtype=torch.float64))
    start, end = target.split(" that is ")
    with pytest.warns(UserWarning, match=f"{start} .* {end}"):
        nn.MSELoss()(torch.zeros(4, 1), torch.zeros(4))
    loss = layer(torch.ones(4, 1)).square().mean()
    loss.backward()
    with pytest.raises(RuntimeError, match=twice):
        loss.backward()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_cheat_sheet_prints_on_one_page(paper: str, page: Page) -> None:
    page.goto("reference/cheat-sheet/")
    pdf = page.pdf(format=paper, prefer_css_page_size=False)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


def test_the_corrections_run_as_downloaded(site: Site, tmp_path: Path) -> None:
    script = site.folder / "reference/notes-corrected/notes-corrected.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "RuntimeError: Inference tensors" in done.stdout

"""The reference pages: the cheat sheet runs as printed, and what it says of errors is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Run, Site
from playwright.sync_api import Page
from torch import nn

SHEET = (ROOT / "docs/reference/cheat-sheet.md").read_text("utf-8")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the sheet's blocks define, run one after the other in an empty folder."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", SHEET, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)
    return names


def test_the_cheat_sheet_runs_and_its_numbers_are_true(names: dict[str, Any]) -> None:
    numbers = re.findall(r"\d\.\d{5}", SHEET)
    assert numbers == [f"{names['validation_loss']:.5f}", f"{names['baseline']:.5f}"]
    assert names["best_lr"] == 0.1
    assert names["test_loss"] == names["score"](names["model"], names["X_test"], names["y_test"])


def twice_backward() -> None:
    loss = nn.Linear(1, 1)(torch.ones(4, 1)).square().mean()
    loss.backward()
    loss.backward()


FAULTS: list[Callable[[], object]] = [
    lambda: nn.Linear(1, 1)(torch.zeros(4)),
    lambda: nn.Linear(1, 1)(torch.zeros(4, 1, dtype=torch.float64)),
    lambda: nn.MSELoss()(torch.zeros(4, 1), torch.zeros(4)),
    twice_backward,
]


def test_the_cheat_sheet_quotes_pytorch() -> None:
    said = []
    for fault in FAULTS:
        with pytest.raises((RuntimeError, UserWarning)) as caught:
            fault()
        said.append(str(caught.value))
    quoted = re.findall(r"^\*\*(.+)\*\*\n:", SHEET, flags=re.MULTILINE)
    found = [
        [
            message
            for message in quoted
            if re.search(message.replace(" that is ", ".* that is "), one)
        ]
        for one in said
    ]
    assert all(found), "each of these errors stands on the sheet"
    others = set(quoted) - {message for messages in found for message in messages}
    assert all("device" in message for message in others)  # which needs a second device


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_cheat_sheet_prints_on_one_page(paper: str, page: Page) -> None:
    page.goto("reference/cheat-sheet/")
    pdf = page.pdf(format=paper, prefer_css_page_size=False)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


def test_the_corrections_run_as_downloaded(site: Site, run_script: Run, tmp_path: Path) -> None:
    done = run_script(site.folder / "reference/notes-corrected/notes-corrected.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "RuntimeError: Inference tensors" in done.stdout

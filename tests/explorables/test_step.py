"""One step at a time: after any presses it holds what Python and torch would hold."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from conftest import Site
from explorable import call, published
from playwright.sync_api import Locator, Page, expect
from torch import nn
from torch_numbers import LINE

from workflow import LinearRegressionModel, make_line, split

LINES = {
    "p": "y_pred = model(X_train)",
    "l": "loss = loss_fn(y_pred, y_train)",
    "z": "optimizer.zero_grad()",
    "b": "loss.backward()",
    "s": "optimizer.step()",
}
# Each order that has a rule of its own, and 200 at random.
TOLD = ["plzbsplzbs", "plbsplbsplbs", "b", "l", "s", "plbb", "plblb", "plzblzlbs", "psplbzs"]
CHANCE = random.Random(0)
ORDERS = TOLD + ["".join(CHANCE.choices("pplzbbs", k=CHANCE.randint(1, 30))) for _ in range(200)]


def in_python(presses: str) -> list[dict[str, Any]]:
    """What the names hold after each press, and the error that the press raised."""
    X, y = (part.double() for part in split(*make_line(), shuffle=False)[0])
    torch.manual_seed(42)
    model = LinearRegressionModel().double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    names: dict[str, Any] = {"model": model, "optimizer": optimizer, "loss_fn": nn.L1Loss()}
    names |= {"X_train": X, "y_train": y}
    held = []
    for press in presses:
        error = ""
        try:
            exec(LINES[press], names)
        except (NameError, RuntimeError) as raised:
            error = f"{type(raised).__name__}: {raised}".split(" (")[0]
        now: dict[str, Any] = {"error": error}
        now["loss"] = names["loss"].item() if "loss" in names else None
        for name, parameter in model.named_parameters():
            now[name] = parameter.item()
            now[f"{name}.grad"] = None if parameter.grad is None else parameter.grad.item()
        held.append(now)
    return held


def test_any_order_leaves_what_torch_leaves(site: Site) -> None:
    numbers = published(site, "training", "step")
    calls = [[order[: i + 1], numbers] for order in ORDERS for i in range(len(order))]
    found = iter(call("step", "run", calls))
    for presses in ORDERS:
        for i, torchs in enumerate(in_python(presses)):
            so_far, ours = presses[: i + 1], next(found)
            error = torchs.pop("error")
            assert {key: ours[key] for key in torchs} == pytest.approx(torchs, abs=1e-5), so_far
            assert ours["says"].startswith(error), so_far
            assert error or "Error" not in ours["says"], so_far


@pytest.fixture
def step(page: Page) -> Locator:
    page.goto("training/#step")
    return page.locator("#step")


def press(step: Locator, presses: str) -> None:
    for key in presses:
        step.get_by_role("button", name=LINES[key], exact=True).press("Enter")


def row(step: Locator, name: str) -> Locator:
    header = step.page.get_by_role("rowheader", name=name, exact=True)
    return step.get_by_role("row").filter(has=header)


def test_five_lines_in_order_are_an_epoch(step: Locator) -> None:
    expect(row(step, "weights.grad")).to_contain_text("None")
    press(step, "plzbs")
    first = in_python("plzbs")[-1]
    moved = first["weights"] - LINE[0][0]
    expect(row(step, "weights")).to_contain_text(f"{first['weights']:.4f}+{moved:.4f}")
    expect(row(step, "bias.grad")).to_contain_text("−1.0000")
    expect(step.get_by_role("caption")).to_have_text("Epochs begun: 1")
    current = step.locator("[aria-current=step]")
    expect(current).to_have_text(LINES["s"])
    expect(current).to_be_focused()
    expect(step.get_by_role("status")).to_contain_text("moved against their gradients")


def test_gradients_pile_up_when_nobody_clears_them(page: Page, step: Locator) -> None:
    press(step, "plbsplb")
    expect(row(step, "bias.grad")).to_contain_text("−2.0000")
    expect(step.get_by_role("status")).to_contain_text("nobody cleared them")
    step.get_by_role("button", name="Ten without zero_grad").click()
    expect(step.get_by_role("status")).to_contain_text("a sum of 12 gradients")
    expect(page).to_have_url("/training/#step?presses=nplbn10")


def test_errors_have_the_words_of_python(step: Locator) -> None:
    says = step.get_by_role("status")
    press(step, "b")
    expect(says).to_have_text("NameError: name 'loss' is not defined")
    press(step, "plbb")
    expect(says).to_contain_text("RuntimeError: Trying to backward through the graph a second time")


def test_ten_epochs_with_the_mouse_and_back_from_the_address(page: Page, step: Locator) -> None:
    step.get_by_role("button", name="All five in order").click()
    step.get_by_role("button", name="Ten epochs").click()
    expect(page).to_have_url("/training/#step?presses=e11")
    page.goto("")
    page.goto("training/#step?presses=e100")
    for name, value in zip(("weights", "bias"), LINE[100], strict=True):
        expect(row(step, name)).to_contain_text(f"{value:.4f}")
    expect(step.get_by_role("caption")).to_have_text("Epochs begun: 100")

"""Scrub the epochs: what it shows is what torch had after each epoch."""

from __future__ import annotations

import json

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import nn

from workflow import LinearRegressionModel, evaluate, make_line, split


def test_its_numbers_are_those_of_torch(page: Page) -> None:
    train, test = split(*make_line(), shuffle=False)
    loss_fn = nn.L1Loss()
    torch.manual_seed(42)
    model = LinearRegressionModel()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)
    page.goto("evaluation/")
    shown = json.loads(page.locator("#scrub").get_attribute("data-numbers") or "")
    assert len(shown["weight"]) == 101
    for epoch in range(101):
        expected = {
            "weight": model.weights.item(),
            "bias": model.bias.item(),
            "train": evaluate(model, train, loss_fn=loss_fn)["loss"],
            "test": evaluate(model, test, loss_fn=loss_fn)["loss"],
        }
        found = {key: shown[key][epoch] for key in expected}
        assert found == pytest.approx(expected, abs=1e-5), epoch
        sgd.zero_grad()
        loss_fn(model(train[0]), train[1]).backward()
        sgd.step()


def test_line_curves_and_weights_move_together(page: Page) -> None:
    page.goto("evaluation/#scrub?epoch=50")
    place = page.locator("#scrub")
    slider = place.get_by_role("slider", name="Epoch")
    expect(slider).to_have_value("50")
    state = place.locator(".controls code")
    line = place.locator("path.line.prediction")
    marks = place.locator("path.marks.train").last
    before = [state.inner_text(), line.get_attribute("d"), marks.get_attribute("d")]
    slider.press("End")
    expect(state).to_have_text("weights 0.5784, bias 0.3513")
    expect(place.get_by_role("status")).to_contain_text("After 100 epochs")
    after = [state.inner_text(), line.get_attribute("d"), marks.get_attribute("d")]
    assert all(old != new for old, new in zip(before, after, strict=True))

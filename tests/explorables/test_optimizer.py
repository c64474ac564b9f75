"""Be the optimizer: its losses and its rival are torch's, and its rules are kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from conftest import Site
from explorable import published, turn_to
from playwright.sync_api import Locator, Page, expect
from torch import nn

from workflow import LinearRegressionModel


@pytest.fixture
def game(timed: Page) -> Locator:
    timed.goto("models/")
    expect(timed.locator("#optimizer > .live")).to_be_visible()
    return timed.locator("#optimizer")


@pytest.fixture
def numbers(site: Site) -> dict[str, Any]:
    shown: dict[str, Any] = published(site, "models", "optimizer")
    return shown


def descent(numbers: dict[str, Any], steps: int, **start: float) -> tuple[float, float]:
    """MAE and MSE after that many steps of gradient descent on the MSE, with lr 0.5."""
    X, y = (torch.tensor(numbers[key], dtype=torch.float64) for key in "Xy")
    model = LinearRegressionModel().double()
    with torch.no_grad():
        model.weights.fill_(start.get("weight", numbers["weight"]))
        model.bias.fill_(start.get("bias", numbers["bias"]))
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(steps):
        sgd.zero_grad()
        nn.MSELoss()(model(X), y).backward()
        sgd.step()
    return nn.L1Loss()(model(X), y).item(), nn.MSELoss()(model(X), y).item()


def sees(game: Locator, fragment: str) -> str:
    turn_to(game.page, f"optimizer?{fragment}")
    game.page.clock.run_for(500)  # it speaks once the reader rests
    return game.get_by_role("status").inner_text()


def test_the_start_and_the_best_are_torchs(numbers: dict[str, Any]) -> None:
    torch.manual_seed(42)
    model = LinearRegressionModel()
    assert numbers["weight"] == pytest.approx(model.weights.item(), abs=1e-6)
    assert numbers["bias"] == pytest.approx(model.bias.item(), abs=1e-6)
    assert numbers["best"] == pytest.approx(descent(numbers, 2000)[1], abs=1e-5)


def test_losses_and_rival_are_torchs(game: Locator, numbers: dict[str, Any]) -> None:
    said = sees(game, "weight=-0.3&bias=0.7&moves=4")
    mae, mse = descent(numbers, 0, weight=-0.3, bias=0.7)
    expect(game.locator(".controls p")).to_have_text(f"MAE {mae:.4f}, MSE {mse:.4f}")
    rival = descent(numbers, 4)[1]
    assert f"your MSE is {mse:.4f}, gradient descent’s {rival:.4f}" in said
    assert f"You are ahead by {rival - mse:.4f}" in said
    mse = descent(numbers, 0, weight=0.0, bias=0.0)[1]
    rival = descent(numbers, 10)[1]
    assert f"It is ahead by {mse - rival:.4f}" in sees(game, "weight=0&bias=0&moves=10")


def test_a_move_is_one_go_at_one_number_by_keys(game: Locator) -> None:
    says = game.get_by_role("status")
    weight = game.get_by_role("slider", name="Weight")
    bias = game.get_by_role("slider", name="Bias")
    for _ in range(4):
        weight.press("ArrowLeft")
    expect(weight).to_have_attribute("aria-valuetext", "0.3000")
    expect(says).to_contain_text("After 1 move ")
    bias.press("PageUp")
    bias.press("ArrowRight")
    expect(says).to_contain_text("After 2 moves ")
    weight.press("ArrowLeft")
    expect(says).to_contain_text("After 3 moves ")
    game.get_by_role("button", name="Reset").press("Enter")
    weight.press("ArrowLeft")
    expect(says).to_contain_text("After 1 move ")


def test_ten_moves_with_the_mouse_beat_gradient_descent(game: Locator) -> None:
    for turn in range(5):
        for slider, share in (("Weight", 0.25), ("Bias", 0.87 - turn / 1000)):
            control = game.get_by_role("slider", name=slider)
            box = control.bounding_box()
            assert box
            control.click(position={"x": box["width"] * share, "y": box["height"] / 2})
            control.press("ArrowRight")
    says = game.get_by_role("status")
    expect(says).to_contain_text("After 10 moves ")
    expect(says).to_contain_text("You are ahead")
    game.get_by_role("slider", name="Weight").press("ArrowRight")
    expect(says).to_contain_text("Ten moves are over, and this is move 11")


def test_gradient_descent_takes_over_from_where_the_reader_stands(
    game: Locator, numbers: dict[str, Any]
) -> None:
    before = sees(game, "weight=0&bias=0.5&moves=2")
    line = game.locator("path.line.prediction")
    at_first = line.get_attribute("d")
    game.get_by_role("button", name="Let gradient descent take over").click()
    game.page.clock.run_for(4000)
    expect(game.page).to_have_url(re.compile("steps=30"))
    first, last = (descent(numbers, steps, weight=0.0, bias=0.5)[1] for steps in (0, 30))
    says = game.get_by_role("status")
    expect(says).to_contain_text(
        f"30 steps from where you stood: MSE {first:.4f} became {last:.4f}"
    )
    expect(says).to_contain_text(f"gets below {numbers['best']:.4f}")
    assert line.get_attribute("d") != at_first
    game.get_by_role("button", name="Back to where you stood").press("Enter")
    expect(says).to_have_text(before)
    assert line.get_attribute("d") == at_first


def test_without_motion_it_is_there_at_once(game: Locator) -> None:
    game.page.emulate_media(reduced_motion="reduce")
    game.page.clock.pause_at(60)
    game.get_by_role("button", name="Let gradient descent take over").click()
    game.page.clock.run_for(500)  # a frame, and the pause before it is spoken
    expect(game.get_by_role("status")).to_contain_text("took 30 steps")


def test_a_slider_takes_the_line_back_and_the_steps_count_as_moves(game: Locator) -> None:
    sees(game, "weight=0&bias=0.5&moves=2&steps=30")
    bias = game.get_by_role("slider", name="Bias")
    reached = float(bias.get_attribute("aria-valuetext") or "")
    game.get_by_role("slider", name="Weight").press("ArrowRight")
    expect(game.get_by_role("status")).to_contain_text("this is move 33")
    assert float(bias.get_attribute("aria-valuetext") or "") == pytest.approx(reached, abs=0.005)
    expect(game.get_by_role("button", name="Let gradient descent take over")).to_be_visible()

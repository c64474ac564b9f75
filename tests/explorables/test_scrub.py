"""Scrub the epochs: what it shows is what torch had after each epoch."""

from __future__ import annotations

import re

import pytest
import torch
from conftest import Site
from explorable import published
from playwright.sync_api import Page, expect
from torch import nn
from torch_numbers import LINE

from workflow import MLP, LinearRegressionModel, evaluate, make_line, predict, split


def test_its_numbers_are_those_of_torch(site: Site) -> None:
    train, test = split(*make_line(), shuffle=False)
    loss_fn = nn.L1Loss()
    torch.manual_seed(42)
    model = LinearRegressionModel()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)
    shown = published(site, "evaluation", "scrub")
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
    expect(state).to_have_text("weights {:.4f}, bias {:.4f}".format(*LINE[100]))
    expect(place.get_by_role("status")).to_contain_text("After 100 epochs")
    after = [state.inner_text(), line.get_attribute("d"), marks.get_attribute("d")]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_the_network_is_that_of_torch(site: Site) -> None:
    X, _ = make_line(-1, 1, 0.01)
    noise = torch.randn(X.shape, generator=torch.Generator().manual_seed(0))
    many, validation = split(X, torch.sin(4 * X) + 0.3 * noise, fractions=(0.5, 0.5))
    few = many[0][:20], many[1][:20]
    loss_fn = nn.MSELoss()
    torch.manual_seed(42)
    model = MLP(1, (128, 128), 1)
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    grid = torch.linspace(-1, 1, 41).reshape(-1, 1)
    shown = published(site, "evaluation", "scrub")["network"]
    assert shown["epoch"][-1] == 500
    for epoch in range(1, 501):
        adam.zero_grad()
        loss_fn(model(few[0]), few[1]).backward()
        adam.step()
        if epoch not in shown["epoch"]:
            continue
        stop = shown["epoch"].index(epoch)
        for part, data in {"train": few, "validation": validation}.items():
            expected = evaluate(model, data, loss_fn=loss_fn)["loss"]
            assert shown[part][stop] == pytest.approx(expected, abs=0.6e-4), epoch
        answers = predict(model, grid).flatten().tolist()
        assert shown["predictions"][stop] == pytest.approx(answers, abs=0.6e-2), epoch
        first = model.state_dict()["layers.0.weight"][0, 0].item()
        assert shown["first"][stop] == pytest.approx(first, abs=0.6e-4), epoch


def test_the_place_to_stop_is_where_the_validation_loss_is_lowest(page: Page, site: Site) -> None:
    page.goto("evaluation/")
    place = page.locator("#scrub")
    shown = published(site, "evaluation", "scrub")["network"]
    place.get_by_role("radio", name="overfits").check()
    slider = place.get_by_role("slider", name="Epoch")
    expect(slider).to_have_attribute("aria-valuetext", "1")
    says = place.get_by_role("status")
    expect(says).to_contain_text("Too early")
    best = shown["validation"].index(min(shown["validation"]))
    for _ in range(best):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", str(shown["epoch"][best]))
    expect(says).to_contain_text("stop here.")
    slider.press("End")
    expect(says).to_contain_text("it learned the noise")
    expect(place.locator(".controls code")).to_contain_text("layers.0.weight (128, 1)")
    expect(place.locator(".controls code")).to_contain_text("16,897 numbers")


def test_play_runs_to_the_end_and_stops_when_pressed_again(timed: Page) -> None:
    timed.goto("evaluation/")
    place = timed.locator("#scrub")
    slider = place.get_by_role("slider", name="Epoch")
    expect(slider).to_be_visible()
    timed.clock.pause_at(60)
    place.get_by_role("button", name="Play").click()
    timed.clock.run_for(1000)  # of four seconds
    place.get_by_role("button", name="Stop").click()
    timed.clock.run_for(100)
    expect(place.get_by_role("button", name="Play")).to_be_visible()
    stopped = int(slider.input_value())
    timed.clock.run_for(1000)
    assert 0 < int(slider.input_value()) == stopped < 100
    place.get_by_role("button", name="Play").click()
    timed.clock.run_for(5000)
    expect(slider).to_have_value("100")
    expect(place.get_by_role("button", name="Play")).to_be_visible()


def test_play_is_at_once_at_its_end_without_motion(timed: Page) -> None:
    timed.emulate_media(reduced_motion="reduce")
    timed.goto("evaluation/#scrub?run=network")
    place = timed.locator("#scrub")
    slider = place.get_by_role("slider", name="Epoch")
    expect(slider).to_have_attribute("aria-valuetext", "1")
    timed.clock.pause_at(60)
    place.get_by_role("button", name="Play").click()
    timed.clock.run_for(500)  # a frame, and the pause before it is spoken
    expect(slider).to_have_attribute("aria-valuetext", "500")
    expect(place.get_by_role("status")).to_have_text(re.compile("^After 500 epochs"))

"""Pull the plug: what it shows is what torch does with each of the three checkpoints."""

from __future__ import annotations

import copy

import pytest
import torch
from conftest import Site
from explorable import published
from playwright.sync_api import Locator, Page, expect
from torch import nn
from torch_numbers import FROM_MODEL, NEVER_STOPPED

from workflow import LinearRegressionModel, batches, evaluate, make_line, split, train_epoch

L1 = nn.L1Loss()
TRAIN, _ = split(*make_line(), shuffle=False)
EPOCHS = 40


class Run:
    def __init__(self) -> None:
        torch.manual_seed(42)
        self.model = LinearRegressionModel()
        self.adam = torch.optim.Adam(self.model.parameters(), lr=0.02)
        self.cosine = torch.optim.lr_scheduler.CosineAnnealingLR(self.adam, EPOCHS)
        self.data = batches(*TRAIN, batch_size=8, shuffle=True)

    def resumed(self, way: str) -> Run:
        """Give a new run that knows of this one as much as the checkpoint holds."""
        run = Run()
        run.model.load_state_dict(self.model.state_dict())
        if way != "model":
            run.adam.load_state_dict(copy.deepcopy(self.adam.state_dict()))
        if way == "everything":
            run.cosine.load_state_dict(self.cosine.state_dict())
            run.data.generator.set_state(self.data.generator.get_state())
        return run

    def epoch(self) -> float:
        train_epoch(self.model, self.data, loss_fn=L1, optimizer=self.adam)
        self.cosine.step()
        return evaluate(self.model, TRAIN, loss_fn=L1)["loss"]

    def weights(self) -> torch.Tensor:
        return nn.utils.parameters_to_vector(self.model.parameters()).detach()


def opened(page: Page, fragment: str = "") -> Locator:
    page.goto(f"checkpoints/{fragment}")
    return page.locator("#resume")


def test_its_numbers_are_those_of_torch(site: Site) -> None:
    shown = published(site, "checkpoints", "resume")
    whole = Run()
    never, weights = zip(*((whole.epoch(), whole.weights()) for _ in range(EPOCHS)), strict=True)
    assert shown["never"] == pytest.approx(never, abs=1e-6)
    stopped = Run()
    for index, stop in enumerate(range(4, EPOCHS, 4)):
        for _ in range(4):
            stopped.epoch()
        assert shown["rate"][index] == pytest.approx(stopped.adam.param_groups[0]["lr"], abs=1e-6)
        for way in ("model", "optimizer", "everything"):
            run = stopped.resumed(way)
            losses, apart = [], []
            for theirs in weights[stop:]:
                losses.append(run.epoch())
                apart.append((run.weights() - theirs).abs().max().item())
            if way == "everything":
                assert losses == list(never[stop:])
                assert max(apart) == 0
            else:
                assert min(apart) > 0
                assert shown[way][index]["loss"] == pytest.approx(losses, abs=1e-6), (way, stop)
                assert shown[way][index]["apart"] == pytest.approx(apart, abs=1e-6), (way, stop)


def test_by_keyboard_the_stop_moves_and_the_checkpoint_fills(page: Page) -> None:
    place = opened(page)
    parts = place.locator(".controls li")
    expect(parts).to_have_text(
        [
            *("✓ model", "– optimizer (lost)", "– scheduler (lost)"),
            *("– shuffle generator (lost)", "– epoch (lost)"),
        ]
    )
    says = place.get_by_role("status")
    expect(says).to_contain_text("went from 0.0100 back to 0.0200")
    expect(says).to_contain_text(f"the loss is {FROM_MODEL} instead of {NEVER_STOPPED}")
    plug = place.locator("path.plug").first
    before = plug.get_attribute("d")
    slider = place.get_by_role("slider", name="Pull the plug after epoch")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "36")
    expect(plug).not_to_have_attribute("d", before or "")
    place.get_by_role("radio", name="model only").press("ArrowDown")
    expect(parts.filter(has_text="✓")).to_have_text(["✓ model", "✓ optimizer"])
    expect(says).to_contain_text("Adam kept its averages and its rate, 0.0005.")


def test_from_everything_the_two_runs_are_one(page: Page) -> None:
    place = opened(page, "#resume?stop=12")
    never, resumed = place.locator("path.never"), place.locator("path.line.train")
    apart = place.locator("path.apart")
    at_first = resumed.get_attribute("d") or ""
    assert apart.get_attribute("d")
    place.get_by_text("everything", exact=True).click()
    expect(place.get_by_role("status")).to_contain_text("to the last bit")
    expect(place.locator("svg").last).to_contain_text("0 after each epoch")
    expect(apart).to_have_attribute("d", "")
    line = resumed.get_attribute("d") or ""
    assert line != at_first
    assert (never.get_attribute("d") or "").endswith(line.removeprefix("M"))
    expect(place.locator(".controls li").filter(has_text="lost")).to_have_count(0)

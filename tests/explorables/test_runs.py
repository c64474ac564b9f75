"""Compare runs: the tutorial's sweep, ranked as workflow ranks it, and what the seed does to it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from conftest import Site
from explorable import published
from playwright.sync_api import Locator, Page, expect
from torch import nn

from workflow import MLP, choose, evaluate, fit, make_line, run, split

PLACES = ["1st", "2nd", "3rd", "4th"]
Runs = list[dict[str, Any]]


@pytest.fixture
def place(page: Page) -> Locator:
    page.goto("experiments/")
    return page.locator("#runs")


@pytest.fixture
def runs(site: Site) -> Runs:
    shown: Runs = published(site, "experiments", "runs")["runs"]
    return shown


def mark(place: Locator, index: int) -> Locator:
    return place.locator("path.marks.validation").nth(index)


def places(place: Locator) -> list[str]:
    """The place of each setting, as written above its column."""
    return place.locator(".live svg").first.locator("text").all_text_contents()[-4:]


def ranked(losses: list[float]) -> list[str]:
    return [PLACES[sorted(losses).index(loss)] for loss in losses]


@pytest.mark.parametrize("index", [2, 9])
def test_a_run_is_that_of_torch(runs: Runs, index: int) -> None:
    shown = runs[index]
    data = make_line(0, 1, 0.02, noise=0.1, seed=0)
    train, validation, _ = split(*data, fractions=(0.4, 0.4, 0.2), seed=0)
    loss_fn = nn.MSELoss()
    torch.manual_seed(shown["seed"])
    model = MLP(1, shown["hidden"], 1)
    adam = torch.optim.Adam(model.parameters(), lr=shown["lr"])
    options = {"loss_fn": loss_fn, "optimizer": adam, "epochs": 2000, "patience": 30}
    history = fit(model, train, validation, **options)  # type: ignore[arg-type]
    curve = [epoch.validation_loss for epoch in history][shown["first"] :: shown["step"]]
    score = evaluate(model, validation, loss_fn=loss_fn)["loss"]
    assert shown["loss"] == pytest.approx(score, abs=1e-5)
    assert shown["curve"] == pytest.approx(curve, abs=1e-5)
    assert min(shown["curve"]) == pytest.approx(shown["loss"], abs=1e-5)
    assert 20 <= len(curve) <= 30


def test_the_settings_are_ranked_as_workflow_ranks_them(place: Locator, runs: Runs) -> None:
    scores = {(r["hidden"], r["lr"], r["seed"]): r["loss"] for r in runs}

    def look_up(hidden: int, lr: float, seed: int) -> dict[str, float]:
        return {"validation_loss": scores[hidden, lr, seed]}

    configs = [{"hidden": r["hidden"], "lr": r["lr"]} for r in runs[::3]]
    best = configs.index(choose(run(look_up, configs)).config)
    means = [sum(r["loss"] for r in runs[i : i + 3]) / 3 for i in range(0, 12, 3)]
    expect(place.locator(".live")).to_be_visible()
    assert places(place) == ranked(means)
    assert places(place)[best] == "1st"


def test_each_seed_has_another_winner(place: Locator, runs: Runs) -> None:
    place.get_by_role("checkbox", name="one seed only").press(" ")
    winners = set()
    for seed in range(3):
        place.get_by_role("group", name="Seed").get_by_role("radio").nth(seed).check()
        expect(place.get_by_role("status")).to_contain_text(f"By seed {seed} alone")
        assert places(place) == ranked([r["loss"] for r in runs[seed::3]])
        winners.add(places(place).index("1st"))
        faint = [mark(place, i).get_attribute("opacity") != "1" for i in range(12)]
        assert faint == [r["seed"] != seed for r in runs]
    assert len(winners) == 3


def test_it_tells_luck_from_effect(place: Locator, runs: Runs) -> None:
    says = place.get_by_role("status")
    expect(says).to_contain_text("3rd of 4")
    expect(says).to_contain_text("no result")
    place.get_by_role("radio", name="16 units, rate 0.1").press("ArrowLeft")
    expect(says).to_contain_text("16 units, rate 0.01 is 4th of 4")
    expect(says).to_contain_text("the setting did it")


def test_a_click_on_a_mark_chooses_its_run(place: Locator) -> None:
    mark(place, 11).click()
    expect(place.get_by_role("radio", name="64 units, rate 0.1")).to_be_checked()
    expect(place.get_by_role("radio", name="2", exact=True)).to_be_checked()


def test_a_pinned_run_stays_for_comparison(page: Page, place: Locator, runs: Runs) -> None:
    dashed = place.locator("figure").last.locator("path.line").first
    chosen = place.locator("path.line.validation")
    at_first = chosen.get_attribute("d")
    expect(dashed).to_have_attribute("d", "")
    place.get_by_role("button", name="Pin this run").press("Enter")
    expect(place.get_by_role("button", name="Unpin this run")).to_be_visible()
    place.get_by_role("radio", name="0", exact=True).press("ArrowRight")
    expect(dashed).to_have_attribute("d", at_first or "none")
    expect(chosen).not_to_have_attribute("d", at_first or "none")
    gap = runs[4]["loss"] - runs[3]["loss"]
    expect(place.get_by_role("status")).to_contain_text(f"(dashed) was {gap:.4f} lower.")
    page.reload()
    expect(dashed).to_have_attribute("d", at_first or "none")

"""The loss surface: limits, cycles and ways down, told as torch has them, by key and by mouse."""

from __future__ import annotations

import itertools
import re
from typing import Literal

import pytest
import torch
from conftest import Site
from explorable import published, turn_to
from playwright.sync_api import Locator, Page, expect
from test_torch import LOSSES, OPTIMIZERS, X, y
from torch_numbers import CYCLE, LINE

from workflow import LinearRegressionModel

# The map in the units of its drawing: where the minimum is, and how long a unit.
LEFT, TOP, UNIT = 188, 116.5, 284 / 2.4

# The largest eigenvalue of the MSE's Hessian: how fast its steepest slope grows.
COLUMNS = torch.cat([X, torch.ones_like(X)], dim=1)
HESSIAN = torch.autograd.functional.hessian(
    lambda parameters: LOSSES["mse"](COLUMNS @ parameters, y.flatten()),
    torch.zeros(2, dtype=torch.float64),
)
LARGEST = torch.linalg.eigvalsh(HESSIAN).max().item()
LIMIT = f"{2 / LARGEST:.4f}"


def opened(page: Page, query: str = "") -> tuple[Locator, Locator]:
    page.goto(f"training/#surface?{query}" if query else "training/")
    place = page.locator("#surface > .live")
    return place, place.get_by_role("status")


def way(loss: str, optimizer: str, lr: float, steps: int) -> list[tuple[float, float]]:
    """Take the steps in torch, from the course's start, and note each place."""
    torch.manual_seed(42)
    model = LinearRegressionModel().double()
    takes = OPTIMIZERS[optimizer](model.parameters(), lr=lr)
    places = [(model.weights.item(), model.bias.item())]
    for _ in range(steps):
        takes.zero_grad()
        LOSSES[loss](model(X), y).backward()
        takes.step()
        places.append((model.weights.item(), model.bias.item()))
    return places


def test_the_numbers_are_those_of_torch(site: Site) -> None:
    shown = published(site, "training", "surface")
    weight, bias = way("l1", "sgd", 0.01, 0)[0]
    expected = {"largest": LARGEST, "weight": weight, "bias": bias}
    assert shown == pytest.approx(expected, abs=1e-6)


def test_the_way_ends_where_torch_ends(timed: Page, subtests: pytest.Subtests) -> None:
    place, says = opened(timed)
    line = place.locator("path.line.prediction")
    expect(line).to_be_attached()
    for loss, optimizer, steps in itertools.product(LOSSES, OPTIMIZERS, (1, 17, 300)):
        with subtests.test(loss=loss, optimizer=optimizer, steps=steps):
            turn_to(timed, f"surface?loss={loss}&optimizer={optimizer}&steps={steps}&lr=0.01")
            weight, bias = way(loss, optimizer, 0.01, steps)[-1]
            drawn = line.get_attribute("d") or ""
            ends = [float(number) for number in drawn.removeprefix("M").split("L")[-1].split()]
            assert drawn.count("L") == steps
            there = [LEFT + (weight - 0.7) * UNIT, TOP - (bias - 0.3) * UNIT]
            assert ends == pytest.approx(there, abs=0.06)  # drawn to a tenth of a unit
            timed.clock.run_for(500)  # it speaks once the reader rests
            if "Converged" not in says.inner_text():
                expect(says).to_contain_text(f"weight {weight:.4f}, bias {bias:.4f}")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_ring_joins_equal_losses(page: Page, loss: str) -> None:
    place, _ = opened(page, f"loss={loss}")
    rings = place.locator("svg g g.axes path").get_attribute("d") or ""
    points = [re.findall(r"(-?[\d.]+) (-?[\d.]+)", ring) for ring in rings.split("M")[1:]]
    assert len(points) == 10
    for ring in points:
        found = [
            LOSSES[loss](X * (0.7 + float(x) / UNIT) + 0.3 - float(up) / UNIT, y).item()
            for x, up in ring
        ]
        assert max(found) - min(found) <= 0.03 * max(found)  # as places are rounded to 0.1


def test_the_limit_of_the_rate(page: Page) -> None:
    place, says = opened(page)
    place.get_by_role("button", name="Just below the limit").click()
    expect(place.get_by_role("slider", name="Learning rate")).to_have_attribute(
        "aria-valuetext", "0.86"
    )
    expect(says).to_contain_text("Converged")
    expect(says).to_contain_text(f"2 / {LARGEST:.4f} = {LIMIT}")
    place.get_by_role("slider", name="Learning rate").press("ArrowRight")
    expect(says).to_contain_text("Diverges: at step 1000")
    expect(says).to_contain_text(LIMIT)
    slider = place.get_by_role("slider", name="Learning rate")
    expect(slider).to_have_attribute("aria-valuetext", "0.865")
    slider.press("End")
    expect(says).to_contain_text("the loss passed a million")
    expect(says).not_to_contain_text(LIMIT)  # far from it, it would only disturb
    for path in place.locator("svg path").all():
        assert not re.search("NaN|Infinity", path.get_attribute("d") or "")


def test_the_step_of_a_million_is_that_of_torch(page: Page) -> None:
    _, says = opened(page)
    expect(says).not_to_be_empty()
    for optimizer, lr in [("sgd", 1.0), ("sgd", 10.0), ("momentum", 1.8)]:
        turn_to(page, f"surface?optimizer={optimizer}&lr={lr}&steps=100")
        losses = [LOSSES["mse"](X * w + b, y).item() for w, b in way("mse", optimizer, lr, 100)]
        step = next(step for step, loss in enumerate(losses) if not loss < 1e6)
        expect(says).to_contain_text(f"at step {step} the loss passed a million")


def test_momentum_has_a_limit_of_its_own(page: Page) -> None:
    _, says = opened(page, "optimizer=momentum&lr=1.6&steps=1000")
    expect(says).to_contain_text("Converged")
    expect(says).to_contain_text(f"3.8 / {LARGEST:.4f} = {3.8 / LARGEST:.4f}")


def test_the_absolute_error_bounces_and_never_blows_up(page: Page) -> None:
    _, says = opened(page)
    expect(says).not_to_be_empty()
    for lr in (0.01, 0.1, 1.0, 10.0):
        turn_to(page, f"surface?loss=l1&lr={lr}&steps=1000")
        last, before = way("l1", "sgd", lr, 1000)[:-3:-1]
        for w, b in (last, before):
            expect(says).to_contain_text(f"weight {w:.4f}, bias {b:.4f}".replace("-", "−"))
        expect(says).to_contain_text("bounces between two points")


def test_the_cycle_of_the_course(page: Page) -> None:
    _, says = opened(page, "loss=l1&lr=0.01&steps=200")
    expect(says).to_contain_text(f"From step {CYCLE} on it bounces between two points")
    expect(says).to_contain_text("weight {:.4f}, bias {:.4f}".format(*LINE[200]))
    told = says.inner_text()
    turn_to(page, "surface?loss=l1&lr=0.01&steps=299")  # the other phase
    expect(says).not_to_have_text(told)
    turn_to(page, "surface?loss=l1&lr=0.01&steps=300")
    expect(says).to_have_text(told)


def test_magnified_the_cycle_is_two_places_in_view(page: Page) -> None:
    place, says = opened(page)
    place.get_by_role("button", name="L1 bounces").click()
    expect(place.get_by_role("checkbox", name="Magnify")).to_be_checked()
    expect(says).to_contain_text("bounces between two points")
    drawn = place.locator("path.line.prediction").get_attribute("d") or ""
    places = drawn.removeprefix("M").split("L")
    assert len(places) == 21
    assert len(set(places)) == 2
    for point in set(places):
        across, down = map(float, point.split())
        assert 46 <= across <= 330
        assert 10 <= down <= 223


def test_keys_set_the_start_and_the_optimizer(page: Page) -> None:
    place, says = opened(page)
    place.get_by_role("slider", name="Start: weight").press("End")
    place.get_by_role("slider", name="Start: bias").press("Home")
    circle = place.locator("svg circle")
    expect(circle).to_have_attribute("cx", "330")
    expect(circle).to_have_attribute("cy", "223")
    place.get_by_role("radio", name="SGD").press("ArrowRight")
    expect(place.get_by_role("radio", name="momentum")).to_be_checked()
    expect(says).to_contain_text("The loss rose in")
    expect(page).to_have_url(re.compile(r"optimizer=momentum&weight=1.9&bias=-0.6"))


def test_a_click_on_the_map_sets_the_start(page: Page) -> None:
    place, _ = opened(page, "steps=7")
    picture = place.locator("svg").first
    weight, bias = (place.get_by_role("slider", name=f"Start: {n}") for n in ("weight", "bias"))

    def click(across: float, down: float) -> None:
        scale = picture.evaluate("picture => picture.getBoundingClientRect().width") / 340
        picture.click(position={"x": across * scale, "y": down * scale})

    click(LEFT + 0.4 * UNIT, TOP - 0.3 * UNIT)
    expect(weight).to_have_attribute("aria-valuetext", "1.1000")
    expect(bias).to_have_attribute("aria-valuetext", "0.6000")
    expect(page).to_have_url(re.compile(r"steps=7&weight=1.1&bias=0.6$"))
    place.get_by_role("button", name="L1 bounces").click()
    magnify = place.get_by_role("checkbox", name="Magnify")
    expect(magnify).to_be_checked()
    click(LEFT + 0.4 * UNIT, TOP - 0.3 * UNIT)  # of a map that shows a hundredth: the minimum
    expect(magnify).not_to_be_checked()
    expect(weight).to_have_attribute("aria-valuetext", "0.7000")
    expect(bias).to_have_attribute("aria-valuetext", "0.3000")


def test_what_leaves_the_map_is_clipped(page: Page) -> None:
    place, _ = opened(page, "lr=10&steps=20")
    area = place.locator("svg g[clip-path]")
    name = re.fullmatch(r"url\(#(.+)\)", area.get_attribute("clip-path") or "")
    assert name
    expect(place.locator(f"clipPath#{name[1]} rect")).to_have_attribute("width", "284")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_run_takes_the_steps_again(timed: Page, motion: Literal["no-preference", "reduce"]) -> None:
    timed.emulate_media(reduced_motion=motion)
    place, says = opened(timed, "steps=40")
    before = says.inner_text()
    timed.evaluate(
        """() => {
            window.seen = new Set()
            const line = document.querySelector("#surface path.line.prediction")
            const note = () => seen.add(line.getAttribute("d").split("L").length)
            new MutationObserver(note).observe(line, {attributes: true})
        }"""
    )
    place.get_by_role("button", name="Run").click()
    timed.clock.run_for(3500)
    expect(says).to_have_text(before)
    shown = timed.evaluate("[...seen]")
    assert 41 in shown
    assert (len(shown) > 3) is (motion == "no-preference")

"""Try the rules: comparisons drawn as torch draws them, and each rule's verdicts counted."""

from __future__ import annotations

import math
import re

import pytest
import torch
from conftest import Site
from explorable import published
from playwright.sync_api import Locator, Page, expect

from workflow import difference, grid, run

RULES = ["best mean", "spread", "two standard errors", "limit of compare"]
Worlds = dict[str, torch.Tensor]


@pytest.fixture
def place(page: Page) -> Locator:
    page.goto("experiments/")
    return page.locator("#runs")


def limit(seeds: int) -> float:
    apart = run(lambda side, seed: {"loss": side * seed}, grid(side=[0, 1]), seeds=range(seeds))
    return difference(apart, {"side": 0}, {"side": 1}, by="loss").limit


def drawn(seeds: int, share: float, gap: float) -> Worlds:
    """The difference of each comparison, its standard error, and what it has to exceed by rule."""
    generator = torch.Generator().manual_seed(seeds)
    shared, own_a, own_b = torch.randn(3, 1000, seeds, generator=generator).double()
    a = math.sqrt(share) * shared + math.sqrt(1 - share) * own_a
    b = math.sqrt(share) * shared + math.sqrt(1 - share) * own_b + gap
    error = (b - a).std(dim=1) / math.sqrt(seeds)
    spread = torch.maximum(a.std(dim=1), b.std(dim=1))
    bars = torch.stack([torch.zeros(1000), spread, 2 * error, limit(seeds) * error])
    return {"mean": (b - a).mean(dim=1), "error": error, "bars": bars}


def labels(place: Locator) -> list[str]:
    return place.locator(".live svg").last.locator("rect + text").all_text_contents()


def test_the_limits_are_those_of_the_package(site: Site) -> None:
    limits = published(site, "experiments", "runs")["limits"]
    assert limits == {n: pytest.approx(limit(int(n)), abs=1e-4) for n in limits}


@pytest.mark.parametrize(
    ("seeds", "share", "gap"), [(3, 0.5, 0), (10, 0.5, 0.7), (100, 0.5, 0.7), (10, 0.9, 0.3)]
)
def test_each_rule_is_counted_as_torch_counts(
    page: Page, seeds: int, share: float, gap: float
) -> None:
    page.goto(f"experiments/#runs?seeds={seeds}&share={share}&gap={gap}")
    world = drawn(seeds, share, gap)
    first = (world["mean"] > world["bars"]).sum(dim=1).tolist()
    second = (world["mean"] < -world["bars"]).sum(dim=1).tolist()
    if gap:
        wanted = [
            f"{rule}: {f'{right} right, ' if right else ''}{wrong} wrong"
            for rule, right, wrong in zip(RULES, first, second, strict=True)
        ]
    else:
        wanted = [f"{rule}: {a + b} wrong" for rule, a, b in zip(RULES, first, second, strict=True)]
    expect(page.locator("#runs .live")).to_be_visible()
    assert labels(page.locator("#runs")) == wanted


def test_one_comparison_is_that_of_torch(page: Page) -> None:
    page.goto("experiments/#runs?seeds=10&world=4")
    world = drawn(10, 0.5, 0.7)
    says = page.locator("#runs").get_by_role("status")
    expect(says).to_contain_text("Comparison 5")
    found = re.search(r"is ([\d.−]+) ± ([\d.]+), the limit (\d+\.\d+)", says.text_content() or "")
    assert found
    shown = [float(number.replace("−", "-")) for number in found.groups()]
    error = world["error"][4].item()
    assert shown == pytest.approx([world["mean"][4].item(), error, limit(10) * error], abs=0.005)


def test_the_rules_disagree_about_the_comparison_at_first(place: Locator) -> None:
    says = place.get_by_role("status")
    world = drawn(10, 0.5, 0.7)
    assert (world["mean"] > world["bars"])[:, 3].tolist() == [True, False, True, True]
    expect(says).to_contain_text(
        "Right: best mean, two standard errors, limit of compare. Undecided: spread. Wrong: none."
    )
    place.get_by_role("button", name="Next comparison").press("Enter")
    expect(says).to_contain_text("Comparison 5:")
    place.get_by_role("slider", name="How much worse").press("Home")
    expect(says).not_to_contain_text("Right")
    expect(says).to_contain_text("Wrong: best mean")

"""Split it: its parts and its points are those of make_line and split."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from explorable import call, turn_to
from playwright.sync_api import Locator, Page, expect

from workflow import make_line, split

PARTS = ("train", "validation", "test")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [1, 2, 50, 1000])
def test_orders_are_those_of_torch(size: int) -> None:
    seeds = [*range(200), 999, 2**31, 2**32 - 1]
    found = call("random", "randperm", [[size, seed] for seed in seeds])
    assert found == [torch.randperm(size, generator=seeded(s)).tolist() for s in seeds]


@pytest.mark.parametrize("size", [16, 40, 50, 63, 1000])
def test_noise_is_that_of_torch(size: int) -> None:
    seeds = [*range(200), 999, 2**31, 2**32 - 1]
    found = call("random", "randn", [[size, seed] for seed in seeds])
    expected = torch.stack([torch.randn(size, generator=seeded(s)) for s in seeds])
    torch.testing.assert_close(torch.tensor(found), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shuffle", [False, True])
def test_members_of_each_part_are_those_of_split(shuffle: bool) -> None:
    shares = [(t, v) for t in range(2, 99, 2) for v in range(0, 41, 2) if t + v < 100]
    states = [
        {"train": train, "validation": validation, "shuffle": shuffle, "seed": seed}
        for seed, (train, validation) in enumerate(shares)
    ]
    X, y = make_line()
    members = call("split", "members", [[state] for state in states])
    for state, found in zip(states, members, strict=True):
        percents = [state["train"], state["validation"], 100 - state["train"] - state["validation"]]
        fractions = [percent / 100 for percent in percents if percent]
        expected = split(X, y, fractions=fractions, shuffle=shuffle, seed=state["seed"])
        shown = [X[found[part]] for part in PARTS if found[part]]
        assert len(shown) == len(expected), state
        for ours, (theirs, _) in zip(shown, expected, strict=True):
            assert torch.equal(ours, theirs), state


def test_labels_are_those_of_make_line() -> None:
    states = [(seed % 11 / 100, seed) for seed in range(1000)]
    found = call("split", "labels", [[{"noise": n, "seed": s}] for n, s in states])
    expected = torch.cat([make_line(noise=n, seed=s)[1] for n, s in states], dim=1).T
    torch.testing.assert_close(torch.tensor(found), expected, atol=1e-6, rtol=0)


def shown_parts(place: Locator) -> list[tuple[str, int]]:
    """Read name and size of each part below the charts, and count the marks in both charts."""
    texts = place.locator(".charts p span").all_inner_texts()
    parts = [(text.split()[0], int(text.split()[1])) for text in texts]
    for kind, (_, size) in zip(PARTS, parts, strict=True):
        for marks in place.locator(f"path.marks.{kind}").all():
            assert (marks.get_attribute("d") or "").count("M") == size
    return parts


def test_its_line_of_code_makes_what_is_shown(page: Page, subtests: pytest.Subtests) -> None:
    page.goto("data/")
    place = page.locator("#split")
    expect(place.get_by_role("status")).not_to_be_empty()
    for address in (
        "train=60",  # and all else as it comes
        "train=80&validation=0",
        "shuffle=true",
        "train=58&validation=18&noise=0.07&shuffle=true&seed=123",
        "train=2&validation=2&shuffle=true&seed=999",
        "train=96&validation=2&noise=0.1&seed=5",
    ):
        with subtests.test(address=address):
            turn_to(page, f"split?{address}")
            shows_what_its_code_makes(place)


def shows_what_its_code_makes(place: Locator) -> None:
    names: dict[str, Any] = {"make_line": make_line, "split": split}
    exec(place.locator("code").inner_text(), names)
    made = [names.get(part) for part in PARTS]
    sizes = [len(part[0]) if part else 0 for part in made]
    assert shown_parts(place) == list(zip(("training", "validation", "test"), sizes, strict=True))
    (X_learn, _), (X_judge, _) = names["train"], names["test"]
    beyond = int(((X_judge < X_learn.min()) | (X_judge > X_learn.max())).sum())
    sentence = {0: "No test point lies beyond", 1: "test points lies beyond"}
    sentence[len(X_judge)] = "Every test point lies beyond"
    expected = sentence.get(beyond, f"{beyond} of {len(X_judge)} test points lie")
    says = place.get_by_role("status")
    expect(says).to_contain_text(expected)
    end = f"to {X_learn.max():.2f}" if len(X_learn) > 1 else "alone"
    expect(says).to_contain_text(f"from x = {X_learn.min():.2f} {end}.")


def test_nothing_left_for_the_test(page: Page) -> None:
    page.goto("data/#split?train=90&validation=40")
    place = page.locator("#split")
    expect(place.get_by_role("status")).to_contain_text("Nothing is left for the test")
    with pytest.raises(ValueError, match="fractions"):
        exec(place.locator("code").inner_text(), {"make_line": make_line, "split": split})


def test_with_the_keyboard(page: Page) -> None:
    page.goto("data/")
    place = page.locator("#split")
    says = place.get_by_role("status")
    expect(says).to_contain_text("extrapolation")
    training = place.get_by_role("slider", name="Training")
    training.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(training).to_have_attribute("aria-valuetext", "80%")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    expect(place.locator("code")).to_have_text(
        "train, test = split(*make_line(noise=0, seed=0), fractions=(0.8, 0.2), "
        "shuffle=False, seed=0)"
    )
    assert shown_parts(place) == [("training", 40), ("validation", 0), ("test", 10)]
    place.get_by_role("checkbox", name="Shuffle first").press("Space")
    new_seed = place.get_by_role("button", name="New seed")
    for _ in range(3):
        new_seed.press("Enter")
    expect(page).to_have_url("data/#split?train=80&validation=0&shuffle=true&seed=3")
    expect(says).not_to_contain_text("Every test point")


def test_with_the_mouse(page: Page) -> None:
    page.goto("data/")
    place = page.locator("#split")
    place.get_by_role("slider", name="Noise").click()
    expect(place.locator("code")).to_contain_text("noise=0.05")
    points = place.locator("path.marks.train").first
    expect(points).to_be_visible()
    before = points.get_attribute("d")
    place.get_by_role("button", name="New seed").click()
    expect(place.locator("code")).to_contain_text("seed=1")
    assert points.get_attribute("d") != before
    place.get_by_role("checkbox").click()
    expect(place.locator("code")).to_contain_text("shuffle=True")


def test_a_seed_without_chance_says_so(page: Page) -> None:
    page.goto("data/")
    place = page.locator("#split")
    place.get_by_role("button", name="New seed").click()
    expect(place.get_by_role("status")).to_contain_text("every seed gives this")


def test_a_part_too_small_says_what_it_means(page: Page, subtests: pytest.Subtests) -> None:
    page.goto("data/")
    says = page.locator("#split").get_by_role("status")
    for address, warning in (
        ("train=2", "Through a single point goes any line."),
        ("train=6", "enough only without noise"),
        ("train=6&noise=0.1", "more noise than line"),
        ("validation=4", "chooses by luck"),
        ("train=80&validation=16", "One test point is 50% of the mark"),
    ):
        with subtests.test(address=address):
            expect(says).to_contain_text("extrapolation")
            expect(says).not_to_contain_text(warning)
            turn_to(page, f"split?{address}")
            expect(says).to_contain_text(warning)
            turn_to(page, "split?train=60")

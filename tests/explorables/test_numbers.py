"""Anything becomes numbers: the code that is shown makes the tensor that is shown."""

from __future__ import annotations

import itertools
import math
import re
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

import pytest
import torch
from conftest import axe_violations
from explorable import call, turn_to
from playwright.sync_api import Locator, Page, expect

ADDRESSES: list[dict[str, Any]] = [
    *(
        {"kind": "text", "text": text, "by": by}
        for text in (
            "cat",
            "Grüße 👋",
            "",
            " ",
            'a "quoted" \\n 100%',
            "it's ~ {x}?&#",
            "👩‍🚀é日本",
            "x" * 24,
        )
        for by in ("bytes", "points")
    ),
    *(
        {"kind": "dna", "dna": dna}
        for dna in ("GATTACA", "", "A", "acgt", "GAUN-X \"\\'", "ACGTACGTACGT")
    ),
    *(
        {"kind": "row", "area": area, "rooms": rooms, "heating": heating}
        for area, rooms, heating in ((52.5, 2, "oil"), (20, 1, "gas"), (150, 8, "pump"))
    ),
    *(
        {"kind": "tone", "pitch": pitch, "loudness": loudness}
        for pitch, loudness in ((440, 0.5), (55, 1), (7040, 0.3), (3951, 0.7), (1760, 0))
    ),
    *(
        {"kind": "drawing", "drawing": drawing}
        for drawing in ("0024240081423c00", "0" * 16, "f" * 16, "8000000000000001")
    ),
]


def run(code: str) -> torch.Tensor:
    tensor = eval(code, {"torch": torch, "math": math})
    assert isinstance(tensor, torch.Tensor)
    return tensor


def facts(tensor: torch.Tensor) -> str:
    return f"shape {tuple(tensor.shape)} · dtype {tensor.dtype}".replace("torch.", "")


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    """What becomes of each thing: the code, and the tensor as a list of numbers and labels."""
    kinds = itertools.groupby(ADDRESSES, key=itemgetter("kind"))
    each = (
        call("tensors", f"MAKE.{kind}", [[state] for state in states]) for kind, states in kinds
    )
    return list(itertools.chain.from_iterable(each))


def test_the_code_makes_the_tensor(made: list[dict[str, Any]], subtests: pytest.Subtests) -> None:
    calls = [[state["kind"], ours] for state, ours in zip(ADDRESSES, made, strict=True)]
    for state, ours, described in zip(
        ADDRESSES, made, call("tensors", "describe", calls), strict=True
    ):
        with subtests.test(state=state):
            tensor = run(ours["code"])
            assert described["shape"] == list(tensor.shape)
            assert f"torch.{described['dtype']}" == str(tensor.dtype)
            numbers = [number for row, _ in ours["tensor"] for number in row]
            values = torch.tensor(numbers, dtype=tensor.dtype)
            torch.testing.assert_close(values, tensor.flatten(), atol=1e-5, rtol=0)


def test_code_and_tensor_are_shown(
    page: Page, made: list[dict[str, Any]], subtests: pytest.Subtests
) -> None:
    page.goto("data/")
    place = page.locator("#numbers")
    expect(place.locator(".facts")).not_to_be_empty()
    for state, ours in zip(ADDRESSES, made, strict=True):
        with subtests.test(state=state):
            turn_to(page, "numbers?" + urlencode(state))
            code = place.locator("code").text_content() or ""
            assert code == ours["code"]
            tensor = run(code)
            expect(place.locator(".facts")).to_have_text(facts(tensor))
            texts = " ".join(place.locator(".tensor b").all_text_contents()).replace("−", "-")
            shown = [float(text) for text in texts.removeprefix("A C G T").split()]
            assert len(shown) == min(tensor.numel(), 24 if state["kind"] == "tone" else 96)
            assert shown == pytest.approx(tensor.flatten()[: len(shown)].tolist(), abs=5.1e-5)


def test_the_tests_cover_every_kind(page: Page) -> None:
    page.goto("data/")
    options = page.locator("#numbers input[name=numbers-kind]")
    expect(options).to_have_count(5)
    kinds = {option.get_attribute("value") for option in options.all()}
    assert kinds == {state["kind"] for state in ADDRESSES}


def choose(page: Page, kind: str) -> Locator:
    page.goto("data/")
    place = page.locator("#numbers")
    place.get_by_role("radio", name=kind, exact=True).check()
    return place


def test_text_as_it_is_typed(page: Page) -> None:
    place = choose(page, "text")
    text = place.get_by_role("textbox", name="Text")
    says = place.get_by_role("status")
    text.fill("")
    expect(says).to_contain_text("An empty list")
    expect(place.locator(".facts")).to_have_text("shape (0,) · dtype float32")
    text.press_sequentially("hü")
    expect(place.locator("code")).to_have_text('torch.tensor(list("hü".encode()))')
    expect(place.locator(".tensor")).to_have_text("104h195 188ü")
    expect(says).to_contain_text("2 code points, 3 bytes")
    place.get_by_role("radio", name="code point").press("Space")
    expect(place.locator(".facts")).to_have_text("shape (2,) · dtype int64")
    text.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("a")  # in the middle: the caret stays where it is
    page.keyboard.type("b")
    expect(text).to_have_value("habü")


def test_text_is_never_cut_through_an_emoji(page: Page) -> None:
    place = choose(page, "text")
    text = place.get_by_role("textbox", name="Text")
    text.fill("a" * 23 + "👋👋")
    expect(text).to_have_value("a" * 23 + "👋")
    expect(place.locator(".facts")).to_have_text("shape (27,) · dtype int64")
    expect(page).to_have_url(re.compile(r"#numbers\?text=a{23}[^&]*$"))
    assert len(page.url.split("#")[1]) < 60


def test_what_is_no_base_leaves_no_trace(page: Page, subtests: pytest.Subtests) -> None:
    place = choose(page, "DNA")
    for letter in "UaN7":
        with subtests.test(letter=letter):
            place.get_by_role("textbox", name="DNA").fill(f"GA{letter}")
            says = place.get_by_role("status")
            expect(says).to_contain_text(f"“{letter}” is none of the capitals")
            expect(place.locator(".tensor > span").last).to_have_text(f"0 0 0 0{letter}")


def test_a_tone_too_high_for_its_numbers(page: Page) -> None:
    place = choose(page, "tone")
    pitch = place.get_by_role("slider", name="Pitch")
    pitch.press("End")
    expect(pitch).to_have_attribute("aria-valuetext", "7040 Hz")
    expect(place.get_by_role("status")).to_contain_text(
        "nobody can tell these from a tone of 960 Hz"
    )
    high = run(place.locator("code").inner_text())
    low = 0.5 * torch.sin(2 * math.pi * 960 * torch.arange(4000) / 8000)
    torch.testing.assert_close(high, -low, atol=2e-3, rtol=0)  # as large angles are rounded


def test_the_numbers_that_are_heard(page: Page) -> None:
    page.add_init_script(
        """window.heard = []
        AudioBufferSourceNode.prototype.start = function () {
            heard.push([this.buffer.sampleRate, [...this.buffer.getChannelData(0)]])
        }"""
    )
    place = choose(page, "tone")
    assert page.evaluate("heard") == []
    place.get_by_role("button", name="Hear").click()
    [[rate, samples]] = page.evaluate("heard")
    assert rate == 8000
    tensor = run(place.locator("code").inner_text())
    torch.testing.assert_close(torch.tensor(samples), tensor, atol=1e-5, rtol=0)


def pixels(place: Locator) -> torch.Tensor:
    """Read the sheet: its buttons, which must agree with the code."""
    pressed = place.locator(".pad button").evaluate_all(
        "cells => cells.map(cell => Number(cell.getAttribute('aria-pressed') === 'true'))"
    )
    sheet = torch.tensor(pressed, dtype=torch.float32).reshape(8, 8)
    assert torch.equal(sheet, run(place.locator("code").inner_text()))
    return sheet


def test_drawing_with_the_mouse(page: Page) -> None:
    place = choose(page, "drawing")
    place.get_by_role("button", name="Clear").click()
    expect(place.get_by_role("status")).to_contain_text("An empty sheet takes 64 numbers too.")
    assert pixels(place).sum() == 0
    cells = [place.get_by_role("button", name=f"row 3, column {i}") for i in range(8)]
    cells[1].hover()
    page.mouse.down()
    for cell in cells[2:6]:
        cell.hover()
    page.mouse.up()
    cells[6].hover()  # no longer pressed
    expect(place.get_by_role("status")).to_contain_text("5 of 64")
    assert pixels(place).nonzero().tolist() == [[3, i] for i in range(1, 6)]
    cells[2].click()  # and once more wipes
    expect(cells[2]).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile("drawing=0000005c00000000"))


@pytest.mark.parametrize("width", [360, 1280])
def test_drawing_with_the_keyboard(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    place = choose(page, "drawing")
    first = place.get_by_role("button", name="row 0, column 0")
    expect(first).to_be_visible()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    for key in ("Space", "ArrowRight", "ArrowDown", "Enter", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(first).to_be_focused()  # beyond the edge there is nothing
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(place.get_by_role("status")).to_contain_text("14 of 64")
    sheet = pixels(place)
    assert sheet[0, 0] == 1
    assert sheet[1, 1] == 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(place.get_by_role("button", name="Clear")).to_be_focused()
    page.keyboard.press("Shift+Tab")  # back to where the reader left it
    expect(place.get_by_role("button", name="row 1, column 0")).to_be_focused()
    sizes = place.locator(".pad button").evaluate_all(
        "cells => cells.flatMap(cell => [cell.offsetWidth, cell.offsetHeight])"
    )
    assert min(sizes) >= 24
    assert place.evaluate("place => place.scrollWidth <= place.clientWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_no_kind_needs_more_room_or_breaks_a_rule(
    timed: Page, axe: str, width: int, subtests: pytest.Subtests
) -> None:
    timed.set_viewport_size({"width": width, "height": 900})
    timed.goto("data/")
    place = timed.locator("#numbers")
    expect(place.locator(".live")).to_be_visible()
    room = "place => place.offsetHeight"
    before = place.evaluate(room)
    for kind in ("text", "DNA", "table row", "tone", "drawing"):
        with subtests.test(kind=kind):
            place.get_by_role("radio", name=kind, exact=True).check()
            timed.clock.run_for(500)  # it speaks once the reader rests
            assert place.evaluate(room) == before
            assert axe_violations(timed, axe, "#numbers") == []


def test_a_crooked_address_gives_the_default(page: Page) -> None:
    page.goto("data/#numbers?kind=drawing&drawing=zz&pitch=NaN&rooms=-5&heating=constructor")
    place = page.locator("#numbers")
    expect(place.get_by_role("status")).to_contain_text("12 of 64")
    assert pixels(place).sum() == 12
    place.get_by_role("radio", name="table row").check()
    expect(place.locator("code")).to_contain_text("[52.5, 1]")
    expect(place.locator("code")).to_contain_text('int("oil" == name)')

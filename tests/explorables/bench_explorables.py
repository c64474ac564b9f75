"""Time each explorable, from a key to the next picture, against a bare button beside it.

Both are measured in one page, with the processor slowed down four times: a machine that is busy or
slow changes both. These are measurements, not tests: nothing here fails. `make bench` shows them.
"""

from __future__ import annotations

import statistics

import pytest
from playwright.sync_api import BrowserContext, Locator, Page
from test_manners import PLACES

ROUNDS = 5
# A key acts as it goes down or as it comes up: each time counts, until its frame is painted.
MEASURE = """() => {
    const painted = kind => new Promise(done => {
        const note = ({timeStamp}) => requestAnimationFrame(
            () => setTimeout(() => done(performance.now() - timeStamp)))
        addEventListener(kind, note, {capture: true, once: true})
    })
    window.took = Promise.all(["keydown", "keyup"].map(painted))
}"""
BARE = """place => {
    const button = document.createElement("button")
    button.id = "bare"
    button.onclick = () => button.textContent = Number(button.textContent) + 1
    place.before(button)
}"""


def milliseconds(page: Page, control: Locator) -> float:
    kind = control.get_attribute("type") or ""
    page.evaluate(MEASURE)
    control.press({"range": "ArrowRight", "text": "7"}.get(kind, " "))
    return float(max(page.evaluate("took")))


def test_from_a_key_to_the_next_picture(
    context: BrowserContext, capsys: pytest.CaptureFixture[str]
) -> None:
    page = context.new_page()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    with capsys.disabled():
        print(
            f"\nfrom a key to the next picture, median of {ROUNDS}; as a multiple of a bare button"
        )
        for name, address in PLACES.items():
            page.goto(address)
            place = page.locator(f"#{name}")
            place.locator("> .live").wait_for()
            place.evaluate(BARE)
            bare = page.locator("#bare")
            slowest = 0.0, 0.0, ""
            # Of many alike, such as the cells of a grid, the first few.
            for control in place.locator("button:enabled:visible, input:enabled:visible").all()[
                :16
            ]:
                ours, theirs = [], []
                for _ in range(ROUNDS):
                    if control.is_visible():  # else what was pressed before took it away
                        ours.append(milliseconds(page, control))
                        theirs.append(milliseconds(page, bare))
                if ours:
                    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
                    what = control.evaluate("control => control.outerHTML.slice(0, 60)")
                    found = statistics.median(ratios), statistics.median(ours), what
                    slowest = max(slowest, found)
            ratio, took, what = slowest
            print(f"{name:<12} {ratio:6.1f} x   {took:6.1f} ms   {what}")

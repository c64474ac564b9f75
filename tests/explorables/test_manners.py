"""What every explorable owes its reader, whatever it shows."""

from __future__ import annotations

import re

import pytest
from conftest import COLOUR, ROOT, Site, axe_violations
from explorable import turn_to
from playwright.sync_api import Browser, Locator, Page, Route, expect

# The explorables, and the pages that they stand on.
PLACES = {
    name: f"{path.parent.name}/"
    for path in sorted(ROOT.glob("docs/*/index.md"))
    for name in re.findall(r"(?m)^/// explorable \| ([\w-]+)", path.read_text(encoding="utf-8"))
}
WIDTHS = (360, 768, 1280)
SPOKEN = 500  # milliseconds after a change, what is new has been said


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def change(place: Locator) -> None:
    """Press an arrow key on the first slider or choice, or a button where there is neither."""
    control = place.locator("input[type=range]:visible, input[type=radio]:checked:visible").first
    if control.count():
        control.press("ArrowRight")
    else:
        place.locator("button:visible").first.press("Enter")


def boxes(page: Page, place: Locator) -> list[float]:
    """Measure how high it is on a phone, a tablet and a screen."""
    heights = []
    for width in WIDTHS:
        resize(page, width)
        box = place.bounding_box()
        assert box
        heights.append(box["height"])
    return heights


# The manners: each is shown to a page whose explorable is as at first.


def it_is_the_figure_on_paper(page: Page, place: Locator) -> None:
    page.emulate_media(media="print")
    expect(place.locator(".static")).to_be_visible()
    expect(place.locator(".live")).to_be_hidden()


def it_follows_the_theme(page: Page, place: Locator) -> None:
    ink = "place => getComputedStyle(place.querySelector('.live button')).color"
    before = place.evaluate(ink)
    toggle = page.locator("header label[for^=__palette]:visible")
    toggle.click()  # from following the system, which is light, to light
    assert place.evaluate(ink) == before
    toggle.click()
    assert place.evaluate(ink) != before
    page.locator("header label[for^=__palette]:visible").click()  # back to following the system


def its_controls_have_names_and_are_large_enough(page: Page, place: Locator) -> None:
    resize(page, 360)
    controls = place.locator("button:visible, input:visible, select:visible, textarea:visible")
    assert controls.count() >= 2
    for control in controls.all():
        sizes = control.evaluate(
            """control => {
                const target = control.matches("[type=radio], [type=checkbox]")
                    ? control.closest("label") : control
                const {width, height} = target.getBoundingClientRect()
                return [width, height]
            }"""
        )
        assert min(sizes) >= 24, control.evaluate("control => control.outerHTML")
        expect(control).to_have_accessible_name(re.compile(r"\w|[+−]"))


def its_state_is_an_address_and_is_reset(page: Page, place: Locator) -> None:
    says, name = place.get_by_role("status"), place.get_attribute("id")
    at_first = says.inner_text()
    assert at_first
    picture = "place => place.querySelector('.live').innerHTML"
    before = place.evaluate(picture)
    change(place)
    page.clock.run_for(SPOKEN)
    expect(page).to_have_url(re.compile(rf"#{name}\?\w+="))
    assert place.evaluate(picture) != before
    said = says.inner_text()
    page.reload()
    expect(says).to_have_text(said)
    expect(place).to_be_in_viewport()
    place.get_by_role("button", name="Reset").click()
    page.clock.run_for(SPOKEN)
    expect(page).to_have_url(re.compile(rf"#{name}$"))
    expect(says).to_have_text(at_first)


def it_speaks_once_the_reader_rests(page: Page, place: Locator) -> None:
    place.evaluate(
        """place => {
            window.spoken = 0
            const watch = {childList: true, characterData: true, subtree: true}
            const count = () => window.spoken += 1
            for (const region of place.querySelectorAll("[role=status], [aria-live], output"))
                new MutationObserver(count).observe(region, watch)
        }"""
    )
    for _ in range(8):
        change(place)
        page.clock.run_for(40)
    assert page.evaluate("spoken") == 0
    page.clock.run_for(2 * SPOKEN)
    assert page.evaluate("spoken") == 1


def nonsense_in_its_address_breaks_nothing(page: Page, place: Locator) -> None:
    keys = place.evaluate(
        """async place => {
            const {Panel} = await import("/assets/explorables/kit.js")
            const {default: explore} = await import(`/assets/explorables/${place.id}.js`)
            const panel = new Panel(place)
            explore(panel)
            return Object.keys(panel.defaults)
        }"""
    )
    assert keys
    for nonsense in ("NaN", "-1e999", "%00", "constructor", "length", "999999999"):
        query = "&".join(f"{key}={nonsense}" for key in keys)
        turn_to(page, f"{place.get_attribute('id')}?{query}")
        page.clock.run_for(SPOKEN)
        said = place.get_by_role("status").inner_text()
        assert not re.search("NaN|undefined|Infinity", said), nonsense


def it_survives_instant_navigation(page: Page, place: Locator) -> None:
    says, name = place.get_by_role("status"), place.get_attribute("id")
    at_first = says.inner_text()
    page.evaluate("window.stayed = true")
    page.clock.resume()
    page.locator("footer a[rel=next]").click()
    expect(place).to_have_count(0)
    page.go_back()
    expect(place.locator(".live")).to_have_count(1)
    expect(says).to_have_text(at_first)
    change(place)
    expect(page).to_have_url(re.compile(rf"#{name}\?\w+="))
    expect(says).not_to_have_text(at_first)
    page.evaluate("name => location.hash = name", name)
    expect(says).to_have_text(at_first)
    assert page.evaluate("window.stayed")


MANNERS = (
    it_speaks_once_the_reader_rests,
    it_is_the_figure_on_paper,
    it_follows_the_theme,
    its_controls_have_names_and_are_large_enough,
    nonsense_in_its_address_breaks_nothing,
    its_state_is_an_address_and_is_reset,
    it_survives_instant_navigation,
)


@pytest.mark.parametrize("name", PLACES)
def test_one_visit(timed: Page, name: str, subtests: pytest.Subtests) -> None:
    errors: list[str] = []
    timed.on("pageerror", lambda error: errors.append(str(error)))
    held: list[Route] = []
    timed.route("**/explorables/start.js", lambda route: held.append(route))
    timed.goto(PLACES[name], wait_until="commit")
    while not held or timed.evaluate("document.readyState") == "loading":
        timed.wait_for_timeout(10)
    place, live = timed.locator(f"#{name}"), timed.locator(f"#{name} > .live")
    before = boxes(timed, place)
    held[0].continue_()
    timed.unroute_all()
    expect(live).to_be_visible()
    timed.clock.pause_at(3600)
    with subtests.test("nothing moves when it comes to life"):
        assert boxes(timed, place) == before
        for width, height in zip(WIDTHS, before, strict=True):
            resize(timed, width)
            inside = live.bounding_box()
            assert inside
            assert height - inside["height"] < 120, "too much empty room is reserved"
            assert live.evaluate("live => live.scrollWidth - live.clientWidth") <= 0
    for manner in MANNERS:
        timed.emulate_media(media="screen", color_scheme="light")
        resize(timed, 1280)
        turn_to(timed, f"{name}?as=at-first")
        timed.clock.run_for(SPOKEN)
        with subtests.test(manner.__name__):
            manner(timed, place)
    assert errors == []


@pytest.mark.parametrize("name", PLACES)
def test_axe_finds_nothing(page: Page, axe: str, name: str, subtests: pytest.Subtests) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(PLACES[name])
    place = page.locator(f"#{name}")
    expect(place.locator(".live")).to_be_visible()
    change(place)
    for width in (360, 1280):
        with subtests.test(width=width):
            resize(page, width)
            assert axe_violations(page, axe, f"#{name}") == []
    page.emulate_media(color_scheme="dark")
    with subtests.test("dark"):
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
        assert axe_violations(page, axe, f"#{name}", COLOUR) == []


def test_without_scripts_there_is_a_figure_and_what_it_would_show(
    browser: Browser, site: Site, subtests: pytest.Subtests
) -> None:
    page = browser.new_page(base_url=site.url, java_script_enabled=False)
    for name, address in PLACES.items():
        with subtests.test(name=name):
            page.goto(address)
            place = page.locator(f"#{name}")
            expect(place.locator(".static")).to_be_visible()
            expect(place.locator(".static figcaption")).to_contain_text("JavaScript")
            expect(place.locator("button, input")).to_have_count(0)
    page.close()

"""The built site as readers meet it: in a browser, by keyboard, without scripts, in a folder."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from conftest import (
    AXE,
    COLOUR,
    MODULES,
    REPOSITORY,
    ROOT,
    Site,
    axe_violations,
    build,
    node_module,
)
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

NOWHERE = "no-such-page/"
KINDS = ["", "data/", "data/tutorial/", "api/data/", NOWHERE]  # one of each kind of page
WIDTHS = [360, 768, 1280]
KB = 1024


# In the browser


class Visit(NamedTuple):
    """What a page fetched, said and showed, and what axe found on it."""

    sizes: dict[str, int]
    complaints: list[str]
    overflows: list[int]
    violations: list[str]


@pytest.fixture(scope="module")
def visits(shared: BrowserContext, site: Site) -> dict[str, Visit]:
    """Every page, and one that isn't there; what the browser has kept is reported as if fetched."""
    axe = MODULES / AXE
    code = axe.read_text("utf-8") if axe.exists() else None
    return {path: visit(shared, path, code) for path in [*site.pages, NOWHERE]}


def visit(context: BrowserContext, path: str, axe: str | None) -> Visit:
    """Look at a page once: light in full, and dark, what colour can change."""
    page = context.new_page()
    seen = Visit({}, [], [], [])
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
    page.on("request", lambda r: seen.sizes.update({r.url: seen.sizes.get(r.url, 0)}))
    page.on("response", lambda r: seen.sizes.update({r.url: length(r)}))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(path, wait_until="networkidle")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        seen.overflows.append(overflow)
        if axe and (width == WIDTHS[-1] or path in KINDS):
            seen.violations.extend(axe_violations(page, axe))
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    if axe:
        seen.violations.extend(axe_violations(page, axe, rules=COLOUR))
    page.close()
    return seen


def test_no_page_has_an_axe_violation(visits: dict[str, Visit], subtests: pytest.Subtests) -> None:
    node_module(AXE)
    for path, visit in visits.items():
        with subtests.test(path=path):
            assert visit.violations == []


def length(response: Response) -> int:
    return int(response.headers.get("content-length", 0))


def test_pages_are_quiet_fit_the_screen_and_ask_nobody_else(
    site: Site, visits: dict[str, Visit], subtests: pytest.Subtests
) -> None:
    for path in site.pages:
        visit = visits[path]
        with subtests.test(path=path):
            assert [c for c in visit.complaints if c.startswith(("error", "warning"))] == []
            assert [url for url in visit.sizes if not url.startswith((site.url, "data:"))] == []
            assert max(visit.overflows) <= 0


def test_pages_are_light(site: Site, visits: dict[str, Visit], subtests: pytest.Subtests) -> None:
    """Weighed with gzip, as served."""
    for path in site.pages:
        visit = visits[path]
        with subtests.test(path=path):
            scripts = {url: size for url, size in visit.sizes.items() if ".js" in url}
            own = [size for url, size in scripts.items() if "/javascripts/" not in url]
            assert 0 < visit.sizes[site.url + path] <= 25 * KB
            assert sum(visit.sizes.values()) <= 120 * KB, visit.sizes
            assert sum(own) <= 15 * KB, visit.sizes


def test_the_policy_stops_a_foreign_script(page: Page) -> None:
    page.goto("")
    blocked = page.evaluate(
        """() => new Promise(resolve => {
            document.addEventListener("securitypolicyviolation", event => resolve(event.blockedURI))
            const script = document.createElement("script")
            script.src = "https://example.com/x.js"
            document.head.append(script)
        })"""
    )
    assert blocked == "https://example.com/x.js"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    page.goto("data/tutorial/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
                const element = document.activeElement
                if (element === document.body) return null
                const radio = element.matches("input.md-option")  // its label is what shows
                const seen = radio ? element.nextElementSibling : element
                const {outlineStyle, boxShadow} = getComputedStyle(seen)
                const marked = outlineStyle !== "none" || boxShadow !== "none"
                const visible = seen.getBoundingClientRect().width > 0
                return [element.outerHTML.slice(0, 120), marked, visible]
            }"""
        )
        if place is None:
            break
        seen.append(place)
    assert len(seen) > 20
    assert [html for html, marked, visible in seen if not (marked and visible)] == []


def test_the_copy_button_copies_exactly_the_cell(browser: Browser, site: Site) -> None:
    context = browser.new_context(
        base_url=site.url, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto("data/tutorial/")
    cells = page.locator(".language-python.highlight, .highlight.python, div.highlight:has(.k)")
    source = (ROOT / "docs/data/tutorial.py").read_text(encoding="utf-8")
    for number in range(3):
        cell = cells.nth(number)
        cell.hover()
        cell.get_by_role("button").first.click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert len(copied) > 20
        assert copied.strip("\n") in source
    page.goto("api/data/")
    example = page.locator(".highlight:has(.gp)").first
    example.hover()
    example.get_by_role("button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ">>>" not in copied
    compile(copied, "example", "exec")
    context.close()


def test_search_finds_a_function(page: Page) -> None:
    page.goto("")
    page.keyboard.press("/")
    page.keyboard.type("make_line")
    found = page.locator(".md-search-result__item").first.locator("a[href$='#workflow.make_line']")
    found.click()
    expect(page).to_have_url(re.compile("/api/data/.*#workflow.make_line$"))
    expect(page.locator("article h1[id]")).to_contain_text("Data")


def test_the_toggle_changes_the_ink_of_a_plot(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, color_scheme="light")
    page = context.new_page()
    page.goto("data/tutorial/")
    ink = "getComputedStyle(document.querySelector('figure.plot svg text')).fill"
    before = page.evaluate(ink)
    toggle = page.locator("header label[for^=__palette]:visible")
    toggle.click()  # from following the system, which is light, to light
    assert page.evaluate(ink) == before
    toggle.click()
    assert page.evaluate(ink) != before
    page.reload()
    assert page.evaluate(ink) != before  # it was remembered
    context.close()


def test_instant_navigation_keeps_pages_working(page: Page) -> None:
    page.goto("data/")
    page.evaluate("window.stayed = true")
    page.locator("footer a[rel=next]").click()
    expect(page).to_have_url(re.compile("/data/tutorial/$"))
    assert page.evaluate("window.stayed")
    expect(page.locator("figure.plot svg").first).to_be_visible()


def test_without_scripts_everything_is_there(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("data/tutorial/")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("figure.plot svg").first).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("")
    page.get_by_role("button", name="Contents").click()
    page.get_by_role("link", name="Data").first.click()
    expect(page).to_have_url(re.compile("/data/$"))
    context.close()


def test_on_paper_there_is_the_page_and_nothing_around_it(page: Page) -> None:
    page.goto("data/tutorial/")
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()
    for around in (".md-header", ".md-sidebar--primary", ".md-search", "footer nav"):
        expect(page.locator(around).first).to_be_hidden()


# What was built


class Document(HTMLParser):
    """The ids and the addresses in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.meta: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values[name] for name in ("href", "src") if name in values]
        if tag == "meta":
            self.meta[values.get("name") or values.get("property", "")] = values.get("content", "")


@pytest.fixture(scope="session")
def documents(site: Site) -> dict[str, Document]:
    paths = {path: site.folder / path / "index.html" for path in site.pages}
    return {path: Document(file.read_text(encoding="utf-8")) for path, file in paths.items()}


def test_every_link_and_fragment_resolves(site: Site, documents: dict[str, Document]) -> None:
    dead = []
    for path, document in documents.items():
        for link in document.links:
            target = urlsplit(urljoin(site.url + path, link))
            if not target.geturl().startswith(site.url):
                assert target.scheme in ("https", "data", "mailto"), link
                continue
            place = unquote(target.path).lstrip("/")
            if place in documents:
                if target.fragment and unquote(target.fragment) not in documents[place].ids:
                    dead.append(f"{path}: {link}")
            elif not (site.folder / place).is_file():
                dead.append(f"{path}: {link}")
    assert dead == []


def test_ids_are_unique(documents: dict[str, Document]) -> None:
    for path, document in documents.items():
        twice = {name for name in document.ids if document.ids.count(name) > 1}
        assert not twice, path


def test_each_page_can_be_shared_and_found(site: Site, documents: dict[str, Document]) -> None:
    descriptions = [document.meta["description"] for document in documents.values()]
    assert len(set(descriptions)) == len(descriptions)
    for document in documents.values():
        picture = urlsplit(document.meta["og:image"]).path.lstrip("/")
        assert (site.folder / picture).is_file()
    sitemap = (site.folder / "sitemap.xml").read_text(encoding="utf-8")
    llms = (site.folder / "llms.txt").read_text(encoding="utf-8")
    for path in documents:
        assert f"<loc>{site.url}{path}</loc>" in sitemap
        assert f"({site.url}{path})" in llms


def test_each_page_says_what_it_was_built_with(site: Site) -> None:
    for path in site.pages:
        html = (site.folder / path / "index.html").read_text(encoding="utf-8")
        assert re.search(r"Built with torch 2\.\d+\.\d+ and Python 3\.\d+\.\d+", html)


def test_types_in_signatures_link_to_their_documentation(documents: dict[str, Document]) -> None:
    links = documents["api/training/"].links
    assert any(link.endswith("#torch.Tensor") for link in links)
    assert any(link.startswith("https://docs.python.org/3/") for link in links)


def test_api_pages_link_to_the_tutorials_that_use_a_function(site: Site) -> None:
    html = (site.folder / "api/data/index.html").read_text(encoding="utf-8")
    assert re.search(r'Used in <a href="\.\./\.\./data/tutorial/">the data tutorial</a>', html)
    assert "tests/test_data.py" in html
    assert not re.search(r'href="[^"]*\.py"', html)


def test_the_html_is_valid(site: Site) -> None:
    jar = node_module("vnu-jar/build/dist/vnu.jar")
    if not shutil.which("java"):
        pytest.skip("java is missing: the HTML validator needs it")
    pages = [str(site.folder / path / "index.html") for path in site.pages]
    command = ["java", "-Xss1m", "-jar", str(jar), "--format", "json", "--exit-zero-always"]
    done = subprocess.run(
        [*command, *pages, str(site.folder / "404.html")],
        capture_output=True,
        text=True,
        check=True,
    )
    messages = json.loads(done.stderr)["messages"]
    assert [f"{m['url']}: {m['message']}" for m in messages if m["type"] == "error"] == []


# Other builds


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources in another folder, with no cache."""
    folder = tmp_path_factory.mktemp("elsewhere") / "a checkout"
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("node_modules"))
    for name in ("workflow", "mkdocs.yml"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def fingerprints(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield path.relative_to(folder).as_posix(), digest


def test_a_clean_build_elsewhere_is_the_same_byte_for_byte(site: Site, copy: Path) -> None:
    build(copy, copy / "site", SITE_URL=site.url)
    assert dict(fingerprints(copy / "site")) == dict(fingerprints(site.folder))


def test_the_offline_site_is_searched_and_touched_from_a_folder(
    browser: Browser, offline: Path, tmp_path: Path
) -> None:
    shutil.unpack_archive(offline.with_suffix(".zip"), tmp_path)
    folder = tmp_path / offline.name
    page = browser.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("make_line")
    first = page.locator(".md-search-result__link").first
    expect(first).to_have_attribute("href", re.compile(r"api/data\.html"))
    first.click()
    expect(page.locator("h1")).to_contain_text("Data")
    page.goto((folder / "evaluation/tutorial.html").as_uri())
    expect(page.get_by_role("button", name="Copy").first).to_be_attached()
    page.goto((folder / "evaluation/index.html").as_uri())
    place = page.locator("#scrub")
    place.get_by_role("slider", name="Epoch").press("End")
    expect(place.get_by_role("status")).to_contain_text("After 100 epochs")
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob"}
    assert errors == []
    page.close()


def test_a_repository_adds_links_to_edit_and_to_open_in_colab(offline: Path, site: Site) -> None:
    html = (offline / "data/tutorial.html").read_text(encoding="utf-8")
    assert f"https://github.com/{REPOSITORY}/edit/main/docs/data/tutorial.py" in html
    assert f"https://colab.research.google.com/github/{REPOSITORY}/blob/" in html
    without = (site.folder / "data/tutorial/index.html").read_text(encoding="utf-8")
    assert "github" not in without
    assert "colab" not in without

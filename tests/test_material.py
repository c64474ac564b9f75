"""Where this site differs from Material, what breaks without it, and what has one home only."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from conftest import ROOT, Site
from mkdocs.config import load_config
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.utils.yaml import yaml_load
from playwright.sync_api import Page, expect

from workflow import LinearRegressionModel, fit, make_line, plotting, split

sys.path.append(str(ROOT / "docs/_hooks"))
import theme

DOCS = ROOT / "docs"
SETTINGS = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"))
STAGES = [stage["name"] for stage in SETTINGS["extra"]["stages"]]

SITEMAPS = {"sitemap.xml", "sitemap.xml.gz"}


# Material's script, patched


def test_the_search_index_is_fetched_when_the_search_is_opened(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("", wait_until="networkidle")
    assert not [url for url in asked if "search_index" in url]
    with page.expect_request("**/search_index.json"):
        page.keyboard.press("/")


def test_instant_navigation_reaches_a_page_with_a_plot(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("data/")
    page.evaluate("window.stayed = true")
    page.locator("footer a[rel=next]").click()
    expect(page).to_have_url(re.compile("/data/tutorial/$"))
    expect(page.locator("figure.plot svg use").first).to_be_attached()
    expect(page.locator(".md-code__nav").first).to_be_attached()  # its script has come to the end
    assert page.evaluate("window.stayed")
    assert errors == []


def search(page: Page, text: str) -> list[str | None]:
    """Paste a text into the search, and say where the first results lead."""
    field = page.get_by_role("textbox", name="Search")
    result = page.locator(".md-search-result__meta")
    field.fill("")
    expect(result).to_have_text("Type to start searching")  # the index is there
    field.select_text()
    page.keyboard.insert_text(text)  # as with a mouse or a finger: no key goes up
    expect(result).to_contain_text("matching document")
    links = page.locator(".md-search-result__link")
    expect(links.nth(2)).to_be_attached()
    return [links.nth(i).get_attribute("href") for i in range(3)]


def opened(page: Page) -> Page:
    page.goto("")
    page.keyboard.press("/")
    return page


def test_signs_in_messages_are_no_operators_of_the_search(page: Page) -> None:
    words = search(opened(page), "model loss")
    pasted = search(page, '+: "model" -loss')
    assert [str(link).split("?")[0] for link in pasted] == [
        str(link).split("?")[0] for link in words
    ]


def test_a_short_word_in_a_message_is_not_the_beginning_of_others(page: Page) -> None:
    search(opened(page), "in use")
    marked = {word.lower() for word in page.locator(".md-search-result mark").all_inner_texts()}
    assert "use" in marked
    assert [word for word in marked if word.startswith("in")] == []


def test_a_script_that_outgrew_a_patch_stops_the_build() -> None:
    with pytest.raises(PluginError, match=r"holds nothing like .*: install the version that"):
        theme.patched("another script")


# What our script adds to Material's


def test_what_is_pasted_is_searched(page: Page) -> None:
    assert "#workflow.make_line" in str(search(opened(page), "make_line"))


@pytest.mark.parametrize("way", ["first", "instant"])
def test_what_material_adds_has_names_and_takes_the_focus(page: Page, way: str) -> None:
    page.goto("models/" if way == "first" else "data/tutorial/")
    if way == "instant":
        page.locator("footer a[rel=next]").click()
        expect(page).to_have_url(re.compile("/models/$"))
    notes = page.locator("a.md-annotation__index")
    expect(notes).to_have_count(7)
    for number, note in enumerate(notes.all(), 1):
        expect(note).to_have_accessible_name(f"Note {number}")
    expect(page.locator(".md-code__nav").first).to_have_role("none")
    expect(page.locator(".md-typeset__scrollwrap").first).to_have_attribute("tabindex", "0")


def test_who_comes_back_to_an_explorable_is_where_they_were(page: Page) -> None:
    page.goto("evaluation/#scrub?epoch=40")
    place = page.locator("#scrub")
    expect(place).to_be_in_viewport()
    page.locator("footer").scroll_into_view_if_needed()
    page.evaluate(  # Material keeps the place once the page rests
        """() => new Promise(resolve => {
            const look = () => history.state?.y === scrollY ? resolve() : setTimeout(look, 50)
            look()
        })"""
    )
    page.reload()
    expect(place.locator(".live")).to_be_attached()
    expect(page.locator("footer")).to_be_in_viewport()
    expect(place).not_to_be_in_viewport()


# Material's pages, changed


def texts(site: Site) -> dict[str, str]:
    """All that a browser reads as text, by its path."""
    kinds = (".html", ".css", ".js")
    paths = [path for path in site.folder.rglob("*") if path.suffix in kinds]
    return {path.relative_to(site.folder).as_posix(): path.read_text("utf-8") for path in paths}


def test_nothing_is_published_that_no_page_asks_for(site: Site) -> None:
    asked = "".join(re.sub(r"sourceMappingURL=\S*", "", text) for text in texts(site).values())
    files = [path for path in (site.folder / "assets").rglob("*") if path.is_file()]
    unasked = [path for path in files if f"/{path.name}" not in asked]
    # Explorables are asked for by the name of their place.
    assert [path for path in unasked if f'id="{path.stem}" role="group"' not in asked] == []
    others = {path.name for path in site.folder.iterdir() if path.is_file()}
    assert others <= {"index.html", "404.html", "llms.txt", "objects.inv", *SITEMAPS}


def test_pages_hold_nothing_of_material_that_this_site_does_not_want(site: Site) -> None:
    for path, html in texts(site).items():
        if path.endswith(".html"):
            assert re.findall(r'type="checkbox" id="__\w+"[^>]+', html) == [], path
            assert "/palette." not in html, path
            assert 'href="javascript:' not in html, path
            assert re.findall(r'role="dialog"(?! aria-label="Search")', html) == [], path


def test_the_policy_knows_every_script_in_every_page(site: Site) -> None:
    for path, html in texts(site).items():
        if path.endswith(".html"):
            found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
            assert found, path
            scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
            assert len(scripts) >= 2
            for script in scripts:
                digest = hashlib.sha256(script.encode()).digest()
                assert f"'sha256-{base64.b64encode(digest).decode()}'" in unescape(found[1]), path


@pytest.mark.parametrize("command", ["build", "serve"])
def test_only_while_serving_any_inline_script_may_run(command: Any) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"))
    config.extra["scope"] = "/"
    env = config.theme.get_env()
    try:
        theme.on_startup(command, dirty=False)
        theme.on_env(env, config, Files([]))
    finally:
        theme.on_startup("build", dirty=False)
    scripts = re.search("script-src ([^;]*)", str(env.globals["policy"]))
    assert scripts
    assert ("'unsafe-inline'" in scripts[1]) == (command == "serve")


@pytest.mark.skipif(not find_spec("zensical"), reason="Zensical is not installed")
def test_zensical_renders_our_templates(tmp_path: Path) -> None:
    """Without our hooks, a page shows less; it shows."""
    for folder in ("_theme", "assets"):
        shutil.copytree(DOCS / folder, tmp_path / "docs" / folder)
    shutil.copy(DOCS / "index.md", tmp_path / "docs")
    for folder in ("data", "reference"):
        (tmp_path / "docs" / folder).mkdir()
    shutil.copy(DOCS / "reference/glossary.md", tmp_path / "docs/reference")
    (tmp_path / "docs/data/index.md").write_text("# Data\n\nTensors.\n", "utf-8")
    source = (ROOT / "mkdocs.yml").read_text("utf-8")
    for key in ("nav", "plugins", "hooks"):
        source = re.sub(rf"(?m)^{key}:\n(?:[ -].*\n|\n(?=[ -]))*", "", source)
    (tmp_path / "mkdocs.yml").write_text(source, "utf-8")
    command = [sys.executable, "-m", "zensical", "build"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    home = (tmp_path / "site/index.html").read_text("utf-8")
    assert "closing in on both</title>" in home
    for page in ("index.html", "404.html"):
        html = (tmp_path / "site" / page).read_text("utf-8")
        assert [name for name in STAGES if f"<strong>{name}</strong>" not in html] == []
        assert html.count('aria-label="Search"') == 1
        assert "Content-Security-Policy" not in html  # not even an empty one
        assert "<p>MIT licence</p>" in html
    data = (tmp_path / "site/data/index.html").read_text("utf-8")
    assert re.search(r'<a href="[^"]*" aria-current="page">Data', data)
    assert "Tensors." in data


# One home each


def test_the_picture_on_the_first_page_shows_what_a_model_learns() -> None:
    picture = ElementTree.parse(DOCS / "_theme/line.svg")
    left, width, bottom, height = 6, 330, 250, 230  # x from 0 to 1, and y from 0 to 1
    train, _ = split(*make_line(), shuffle=False)
    model = LinearRegressionModel()
    torch.nn.init.zeros_(model.weights)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    seen = 0
    guesses = picture.iterfind(".//*[@class='guesses']/*")
    labels = picture.iterfind(".//*[@class='epochs']/*")
    for guess, label in zip(guesses, labels, strict=True):
        epoch = int("".join(label.itertext()).removeprefix("epoch "))
        fit(model, train, loss_fn=torch.nn.MSELoss(), optimizer=optimizer, epochs=epoch - seen)
        seen = epoch
        ends = [model.bias.item(), (model.weights + model.bias).item()]
        drawn = [left, bottom - height * ends[0], left + width, bottom - height * ends[1]]
        numbers = [float(number) for number in re.findall(r"[\d.]+", guess.attrib["d"])]
        assert numbers == pytest.approx(drawn, abs=0.051)
    assert seen == 100
    points = [(dot.attrib["cx"], dot.attrib["cy"]) for dot in picture.iterfind(".//*[@cx]")]
    points += [
        (box.attrib["x"], box.attrib["y"]) for box in picture.iterfind(".//*[@class='test']/*")
    ]
    assert len(points) == 25
    for i, (x, y) in enumerate(points):
        corner = 3.6 if i >= 20 else 0
        assert float(x) + corner == pytest.approx(left + width * i / 25, abs=0.051)
        assert float(y) + corner == pytest.approx(bottom - height * (0.7 * i / 25 + 0.3), abs=0.051)


def test_the_picture_of_shared_links_has_the_size_that_pages_give(site: Site) -> None:
    png = (site.folder / "assets/social.png").read_bytes()
    width, height = (int.from_bytes(png[start : start + 4]) for start in (16, 20))
    html = (site.folder / "index.html").read_text("utf-8")
    assert f'og:image:width" content="{width}"' in html
    assert f'og:image:height" content="{height}"' in html


def test_a_colour_is_named_in_the_stylesheet_and_repeated_only_where_it_must_be() -> None:
    css = (DOCS / "assets/site.css").read_text("utf-8")
    names = dict(re.findall(r"--([\w-]+): (?:light-dark\()?(#\w{6})", css))
    ours = {
        "train": plotting.TRAINING,
        "test": plotting.TEST,
        "prediction": plotting.PREDICTION,
        "validation": plotting.VALIDATION,
    }
    assert {name: colour.lower() for name, colour in ours.items()} == {n: names[n] for n in ours}
    homes = set(re.findall(r"#[0-9a-f]{6}\b", css))
    for folder in ("_theme", "assets", "_hooks"):
        for path in (DOCS / folder).rglob("*"):
            if path.suffix in (".html", ".svg", ".js", ".css"):
                colours = re.findall(r"#[0-9a-f]{6}\b", path.read_text("utf-8").lower())
                assert set(colours) <= homes, path
                assert not colours or path.suffix in (".svg", ".css"), path  # seen without the page


LISTS = {  # where the stages are listed by hand: for each, what finds their names there
    "README.md": r"(?m)^  (\w+)\.py ",
    "docs/start.md": r"(?m)^\| \d \[\w+\]\((\w+)/index\.md\)",
    "docs/api/index.md": r"(?m)^\| \[(\w+)\]\(",
    "docs/together/index.md": r"(?m)^\d\. \[?(\w+)",
}


@pytest.mark.parametrize("path", LISTS)
def test_each_list_of_stages_follows_the_one_in_the_settings(path: str) -> None:
    found = [name.lower() for name in re.findall(LISTS[path], (ROOT / path).read_text("utf-8"))]
    modules = [name for name in STAGES if (ROOT / f"workflow/{name}.py").exists()]
    assert [name for name in found if name in STAGES] in (STAGES, modules)


def test_the_order_of_pages_follows_the_stages() -> None:
    sections = dict(entry.popitem() for entry in SETTINGS["nav"] if isinstance(entry, dict))
    folders = [
        page.split("/")[0] for pages in sections.values() for page in pages[:1] if "/" in page
    ]
    assert [name for name in folders if name in STAGES] == STAGES
    api = [Path(page).stem for page in sections["API"] if isinstance(page, str)]
    assert [name for name in api if name in STAGES] == STAGES[:-1]

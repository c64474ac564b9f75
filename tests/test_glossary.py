"""The glossary, and its links on other pages."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import markdown
import pytest
from conftest import ROOT, Site
from coursemaker import glossary

SOURCE = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
TERMS = glossary.terms(SOURCE)
SMALL = """\
# Glossary

**gradient**
:   Which way is up. More about it.

**gradient descent**
:   Going down, against the `gradient`.

**loss**
:   On nearly every page.

**R²**
**RSQ**
:   How much “better” than the mean; the
    best is 1.0. Less is worse.
"""


def linked(html: str) -> str:
    """Link as on a page, and shorten each link to [words](anchor)."""
    root = ElementTree.fromstring(f"<div>{html}</div>")
    glossary.Mentions(glossary.terms(SMALL), "../glossary.md").run(root)
    result = ElementTree.tostring(root, encoding="unicode")
    link = r'<a class="term" href="\.\./glossary\.md(#[^"]+)" title="[^"]+">(.*?)</a>'
    words = re.sub(link, r"[\2](\1)", result, flags=re.DOTALL)
    return words.removeprefix("<div>").removesuffix("</div>")


def rendered(text: str, folder: Path, link: str) -> str:
    (folder / "glossary.md").write_text(SMALL, encoding="utf-8")
    options = {"glossary": str(folder / "glossary.md"), "link": link}
    return markdown.markdown(
        text,
        extensions=[
            *("def_list", "toc", "pymdownx.arithmatex", "coursemaker.formulas"),
            "coursemaker.glossary",
        ],
        extension_configs={
            "coursemaker.glossary": options,
            "pymdownx.arithmatex": {"generic": True},
        },
    )


# The glossary itself


def test_every_entry_is_found() -> None:
    assert len(TERMS) == len(re.findall(r"(?m)^:   ", SOURCE)) >= 60


def test_terms_are_sorted_and_each_name_is_there_once() -> None:
    anchors = [term.anchor for term in TERMS]
    assert anchors == sorted(set(anchors), key=lambda anchor: anchor.replace("-", ""))
    names = [name.lower() for term in TERMS for name in term.names]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.names[0])
def test_the_tip_is_one_short_plain_sentence(term: glossary.Term) -> None:
    assert re.fullmatch(r"[A-Z“][^`*_\[\]<>]*\.", term.tip)
    assert len(term.tip) <= 120
    assert len(re.findall(r"[.?](?: |$)", term.meaning)) <= 3


def test_everyday_words_are_in_the_glossary() -> None:
    assert {term.names[0] for term in TERMS} >= glossary.EVERYDAY


# Links to it


def test_a_term_has_its_names_its_anchor_and_its_first_sentence() -> None:
    term = glossary.terms(SMALL)[-1]
    assert term.names == ("R²", "RSQ")
    assert term.anchor == "r2"
    assert term.tip == "How much “better” than the mean; the best is 1.0."


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>A gradient, a gradient.</p>", "<p>A [gradient](#gradient), a gradient.</p>"),
        ("<p>Gradients rise</p>", "<p>[Gradients](#gradient) rise</p>"),
        ("<p>gradient\ndescent</p>", "<p>[gradient\ndescent](#gradient-descent)</p>"),
        (
            "<p>gradient descent, then the gradient</p>",
            "<p>[gradient descent](#gradient-descent), then the [gradient](#gradient)</p>",
        ),
        ("<p>rsq and R²</p>", "<p>[rsq](#r2) and R²</p>"),
        (
            "<p>the <strong>gradient</strong></p>",
            "<p>the <strong>[gradient](#gradient)</strong></p>",
        ),
        (
            "<p>Gradients, <b>R²</b>, gradient descent<br />gradient</p>",
            "<p>[Gradients](#gradient), <b>[R²](#r2)</b>, [gradient descent](#gradient-descent)"
            "<br />gradient</p>",
        ),
        ('<p title="a gradient">up</p>', None),
        ("<p>gradiental, pre-gradient, gradient-free</p>", None),
        ("<p>a loss</p>", None),
        ("<p>the <em>gradient</em> is explained here; a gradient</p>", None),
        (
            '<p>the <em class="train">gradient</em></p>',
            '<p>the <em class="train">[gradient](#gradient)</em></p>',
        ),
    ],
)
def test_only_the_first_mention_in_prose_is_linked(html: str, expected: str | None) -> None:
    assert linked(html) == (expected or html)


@pytest.mark.parametrize(
    "html",
    [
        "<h2>The gradient</h2>",
        "<pre><span>gradient</span></pre>",
        "<code>gradient</code>",
        '<a href="x"><em>the</em> gradient</a>',
        "<table><tr><th>gradient</th></tr><tr><td>gradient</td></tr></table>",
        "<svg><g><title>A gradient</title></g></svg>",
        "<dl><dt><strong>gradient</strong></dt></dl>",
        "<summary>gradient</summary>",
        '<autoref identifier="x">gradient</autoref>',
    ],
)
def test_what_is_no_prose_stays_and_prose_after_it_is_linked(html: str) -> None:
    assert linked(html + "<p>gradient</p>") == html + "<p>[gradient](#gradient)</p>"


def test_links_are_markdown_s_own_so_that_a_site_checks_and_rewrites_them(tmp_path: Path) -> None:
    html = rendered("Follow the gradient.", tmp_path, "../reference/glossary.md")
    assert html == (
        '<p>Follow the <a class="term" href="../reference/glossary.md#gradient" '
        'title="Which way is up.">gradient</a>.</p>'
    )
    assert rendered("Follow the gradient.", tmp_path, "") == "<p>Follow the gradient.</p>"


def test_a_formula_holds_no_link(tmp_path: Path) -> None:
    html = rendered(r"\(a \text{ gradient } b\), the gradient", tmp_path, "glossary.md")
    assert html.index("</math>") < html.index("<a")
    assert html.count("<a") == 1


def test_the_glossary_has_an_anchor_at_each_entry_and_no_links(tmp_path: Path) -> None:
    html = rendered(SMALL, tmp_path, "glossary.md")
    assert re.findall(r"<dt(.*?)><strong>(.*?)</strong>", html) == [
        (' id="gradient"', "gradient"),
        (' id="gradient-descent"', "gradient descent"),
        (' id="loss"', "loss"),
        (' id="r2"', "R²"),
        ("", "RSQ"),
    ]
    assert "<a" not in html


# On the site


def test_every_link_to_a_term_is_the_only_one_on_its_page_and_leads_to_its_entry(
    site: Site,
) -> None:
    tips = {term.anchor: term.tip for term in TERMS}
    entries = (site.folder / "reference/glossary/index.html").read_text("utf-8")
    total = 0
    for path in site.pages:
        html = (site.folder / path / "index.html").read_text("utf-8")
        links = re.findall(r'<a class="term" href="([^"]+)" title="([^"]+)">', html)
        assert len({href for href, _ in links}) == len(links), path
        for href, title in links:
            address, _, anchor = urljoin(f"/{path}", href).partition("#")
            assert address == "/reference/glossary/"
            assert unescape(title) == tips[anchor]
            assert f'<dt id="{anchor}">' in entries
        total += len(links)
    assert total > 0
    assert 'class="term"' not in entries


def test_api_pages_have_none(site: Site) -> None:
    assert 'class="term"' not in (site.folder / "api/training/index.html").read_text("utf-8")

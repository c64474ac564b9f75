"""Values and explorables that one page publishes, on the pages that ask for them."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markdown
import pytest
from coursemaker.blocks import MarkupError
from coursemaker.published import fill

PUBLISHED = {
    "scrub": {"numbers": {"best": "−0.25", "says": 'a "b" & <c>'}, "html": "<svg>…</svg>"},
}
EXPLORABLE = """\
/// explorable | scrub
    label: Scrub the epochs
    narrow: 44.8rem
    wide: 25.4rem
///
"""


def rendered(text: str, published: Any = PUBLISHED, root: Path = Path()) -> str:
    options = {
        "coursemaker.published": {"published": published},
        "pymdownx.snippets": {"base_path": [str(root)], "check_paths": True},
    }
    extensions = ["md_in_html", "tables", "pymdownx.superfences", *options]
    return markdown.markdown(text, extensions=extensions, extension_configs=options)


class Places(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [dict(attrs)] * (("class", "explorable") in attrs)


@pytest.mark.parametrize(
    "text",
    [
        "It is {{ scrub.best }}.",
        "| best |\n|---|\n| {{ scrub.best }} |",
        "`{{ scrub.best }}`",
        "```text\n{{ scrub.best }}\n```",
        "# {{ scrub.best }}",
        "<svg><text>{{ scrub.best }}</text></svg>",
    ],
)
def test_a_value_is_put_everywhere(text: str) -> None:
    html = rendered(text)
    assert "−0.25" in html
    assert "{{" not in html


def test_a_value_is_put_into_a_drawing_that_is_included(tmp_path: Path) -> None:
    (tmp_path / "bars.svg").write_text(
        "<svg><title>{{ scrub.best }}</title>\n<text>{{ scrub.best }}</text></svg>",
        encoding="utf-8",
    )
    html = rendered('<figure class="plot">\n--8<-- "bars.svg"\n</figure>', root=tmp_path)
    assert "<svg><title>−0.25</title>\n<text>−0.25</text></svg>" in html


def test_a_value_may_be_markdown() -> None:
    table = {"quizzes": {"numbers": {"progress": "| a |\n|---|\n| *b* |"}, "html": ""}}
    assert "<td><em>b</em></td>" in rendered("{{ quizzes.progress }}", table)


def test_published_values_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "published.json"
    file.write_text(json.dumps(PUBLISHED), encoding="utf-8")
    assert rendered("{{ scrub.best }}", str(file)) == "<p>−0.25</p>"


def test_an_explorable_holds_what_is_there_without_a_script() -> None:
    html = rendered(f"Before.\n\n{EXPLORABLE}\nAfter.")
    (place,) = Places(html).found
    assert place == {
        "class": "explorable",
        "id": "scrub",
        "role": "group",
        "aria-label": "Scrub the epochs",
        "style": "--narrow: 44.8rem; --wide: 25.4rem",
        "data-numbers": json.dumps(PUBLISHED["scrub"]["numbers"], separators=(",", ":")),
    }
    assert '<div class="static"><svg>…</svg></div>' in html
    assert html.startswith("<p>Before.</p>")
    assert html.endswith("<p>After.</p>")


def test_a_page_read_elsewhere_has_values_and_figures() -> None:
    assert fill(f"{{{{ scrub.best }}}}\n\n{EXPLORABLE}\nAfter.\n", PUBLISHED) == (
        "−0.25\n\n<svg>…</svg>\n\nAfter.\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{{ scub.best }}",
            "It asks for 'scub', which no tutorial publishes: begin a cell with `# publish: scub`.",
        ),
        (EXPLORABLE.replace("scrub", "scub"), "It asks for 'scub', which no tutorial publishes"),
        ("{{ scrub.bets }}", "{{ scrub.bets }} is none of scrub's: best, says."),
    ],
)
def test_what_nobody_publishes_is_named(text: str, message: str) -> None:
    with pytest.raises(MarkupError) as caught:
        rendered(text)
    assert message in str(caught.value)
    with pytest.raises(MarkupError) as caught:
        fill(text, PUBLISHED)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    label: Scrub the epochs\n", "", "The explorable scrub lacks label; expected its"),
        ("    narrow: 44.8rem\n    wide: 25.4rem\n", "", "lacks narrow and wide"),
        ("wide", "wdie", "`/// explorable | scrub` begins or ends no block"),
        (" | scrub", "", "`/// explorable` begins or ends no block"),
        ("25.4rem", "25.4", "begins or ends no block"),
        ("///\n", "", "`/// explorable | scrub` has no end"),
    ],
)
def test_an_explorable_lacks_nothing(old: str, new: str, message: str) -> None:
    text = EXPLORABLE.removesuffix("///\n") if old == "///\n" else EXPLORABLE.replace(old, new)
    assert text != EXPLORABLE
    with pytest.raises(MarkupError) as caught:
        rendered(text)
    assert message in str(caught.value)

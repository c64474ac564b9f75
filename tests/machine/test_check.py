"""What is wrong with a page as it came out: addresses that lead nowhere, paragraphs cut off."""

from __future__ import annotations

import pytest
from coursemaker.check import faults


def found(html: str) -> list[str]:
    return faults(html, is_there={"there/", "there.png"}.__contains__)


@pytest.mark.parametrize(
    "html",
    [
        '<p>See <a href="there/">this</a>.</p>',
        '<img src="there.png" alt="x">',
        '<a href="https://elsewhere.org/nowhere/">x</a>',
        '<a href="mailto:nobody@elsewhere.org">x</a>',
        '<a href="#here">x</a>',
        '<a id="anchor"></a>',
        "<p>A paragraph.</p>",
        "<p>1 is a number.</p>",
        "<p><code>fit</code> begins this one.</p>",
        "<p></p>\nlower",
        "<li>an item</li>",
        "<pre>p is no paragraph</pre>",
    ],
)
def test_what_is_right_passes(html: str) -> None:
    assert found(html) == []


@pytest.mark.parametrize("tag", ['<a href="no/">x</a>', '<img alt="1 > 0 < 2" src="no/">'])
def test_an_address_that_leads_nowhere_is_named(tag: str) -> None:
    complaint = "'no/' leads to nothing on this site; mend or remove it."
    assert found(f'<p>First, <a href="there/">there</a>.</p><p>Then {tag}.</p>') == [complaint]


@pytest.mark.parametrize("start", ["and so on", "\n  and so on", "été"])
def test_a_paragraph_that_begins_in_lower_case_lost_its_beginning(start: str) -> None:
    complaint = f"A paragraph begins with {start.strip()!r}: did it lose its beginning?"
    assert found(f'<p>Whole.</p><p class="x">{start}</p>') == [complaint]


def test_everything_is_named_and_only_the_beginning_of_what_is_long() -> None:
    html = f'<a href="no.md#x">1</a><a href="no.md">2</a><p>{"and so on, " * 9}</p>'
    assert found(html) == [
        "'no.md#x' leads to nothing on this site; mend or remove it.",
        "'no.md' leads to nothing on this site; mend or remove it.",
        "A paragraph begins with 'and so on, and so on, and so on, and so ': did it lose its "
        "beginning?",
    ]

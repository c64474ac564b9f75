"""The course teaches every topic that it set out to teach: `topics.md` says where."""

from __future__ import annotations

import functools
import re
from html import unescape
from typing import NamedTuple

import pytest
from conftest import ROOT, Site

ROW = re.compile(r"^\| (.+?) \| (\S+/) \| (.+?) \|$", re.MULTILINE)


class Topic(NamedTuple):
    name: str
    page: str
    words: list[str]


TOPICS = [
    Topic(name, page, words.split(", "))
    for name, page, words in ROW.findall((ROOT / "tests/topics.md").read_text("utf-8"))
]


@functools.cache
def text(site: Site, page: str) -> str:
    """What a page says below its headings, in lower case and without marks."""
    html = (site.folder / page / "index.html").read_text("utf-8")
    article = html.partition("<article")[2].partition("</article>")[0]
    without = re.sub(r"(?s)<(h[1-6]|script|style)\b.*?</\1>|<[^>]*>", "", article)
    return " ".join(unescape(without).split()).lower()


def test_every_topic_of_the_notes_is_taught_where_the_table_says(
    site: Site, subtests: pytest.Subtests
) -> None:
    rows = (ROOT / "tests/topics.md").read_text("utf-8").count("\n| ") - 2  # head and rule
    assert len(TOPICS) == rows, "each row has a topic, a page and words"
    for topic in TOPICS:
        with subtests.test(topic=topic.name, page=topic.page):
            said = text(site, topic.page)
            assert [word for word in topic.words if word not in said] == []

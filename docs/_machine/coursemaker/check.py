"""What is wrong with a page as it came out, which Markdown's own checks don't see."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urlsplit

# What is looked at: a tag and the text behind it. The rest, drawings above all, is most of a page.
LOOKED_AT = re.compile(r"""<(?:a|img|p)\b(?:"[^"]*"|[^">])*>[^<]*""")


def faults(html: str, is_there: Callable[[str], bool]) -> list[str]:
    """Name links and pictures that lead nowhere, and paragraphs that lost their beginning.

    Args:
        html: The content of a page.
        is_there: Whether the site has what a relative address leads to.
    """
    page = Reader(html)
    nowhere = [address for address in page.addresses if not is_there(address)]
    return [
        *(f"{address!r} leads to nothing on this site; mend or remove it." for address in nowhere),
        *(f"A paragraph begins with {start!r}: did it lose its beginning?" for start in page.lost),
    ]


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.lost: list[str] = []
        self.feed("".join(LOOKED_AT.findall(html)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.at_start = tag == "p"
        values = dict(attrs)
        address = values.get("href" if tag == "a" else "src" if tag == "img" else "")
        if address and not urlsplit(address).scheme and urlsplit(address).path:
            self.addresses.append(address)

    def handle_data(self, data: str) -> None:
        if self.at_start and data.lstrip()[:1].islower():
            self.lost.append(data.strip()[:40])

"""Blocks of a page, from `/// name | argument` to `///`, whose mistakes are errors."""

import re
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from pymdownx.blocks import BlocksProcessor
from pymdownx.blocks.block import Block

MARK = re.compile(r"(?m)^ {0,3}///.*")
OPEN = "data-open"  # set on a block's element while its end is missing


class MarkupError(ValueError):
    """A page writes what can't be shown; the message says what to write."""


class Leftovers(Treeprocessor):
    """Stops at blocks that Markdown would show as text, or go on with to the end of the page."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if OPEN in element.attrib:
                raise MarkupError(
                    f"`/// {element.get(OPEN)}` has no end: write `///` in a line of its own."
                )
            if element.tag == "p" and (line := MARK.search(element.text or "")):
                raise MarkupError(
                    f"`{line[0].strip()}` begins or ends no block: its name is unknown, an option, "
                    "four spaces further in, is none of its own or of the wrong kind, or it stands "
                    "alone."
                )


def register(md: Markdown, manager: BlocksProcessor, block: type[Block], **config: object) -> None:
    manager.register(block, config)
    md.treeprocessors.register(Leftovers(md), "leftovers", 30)  # before inline patterns, at 20

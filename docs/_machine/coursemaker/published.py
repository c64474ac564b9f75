"""What tutorials publish, put where other pages ask for it.

A cell that begins with `# publish: name` prints a JSON object and may draw figures. On any page,
and in drawings that are included there, `{{ name.key }}` becomes one of its values, and

    /// explorable | name
        label: Scrub the epochs
        narrow: 44.8rem
        wide: 25.4rem
    ///

is filled with its figures, which are what readers without JavaScript and on paper see, and with its
numbers. The label is its heading for those who don't see it; the heights are kept free for it on a
phone and on a wide screen.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from pymdownx.blocks import BlocksExtension, BlocksProcessor
from pymdownx.blocks.block import Block, type_string

from coursemaker.blocks import OPEN, MarkupError, register

VALUE = re.compile(r"{{ ([\w-]+)\.(\w+) }}")
EXPLORABLE = re.compile(r"(?ms)^/{3,} *explorable *\| *([\w-]+) *$.*?^/{3,} *$")
Published = Mapping[str, Mapping[str, Any]]  # by name: its numbers, and its figures as HTML


def fill(markdown: str, published: Published) -> str:
    """Write values and figures into a page for those who read it elsewhere, without our scripts."""
    drawn = EXPLORABLE.sub(lambda match: lookup(match[1], published)["html"], markdown)
    return with_values(drawn, published)


def with_values(text: str, published: Published) -> str:
    def value(match: re.Match[str]) -> str:
        numbers = lookup(match[1], published)["numbers"]
        try:
            return str(numbers[match[2]])
        except KeyError:
            known = ", ".join(numbers)
            raise MarkupError(f"{match[0]} is none of {match[1]}'s: {known}.") from None

    return VALUE.sub(value, text)


def lookup(name: str, published: Published) -> Mapping[str, Any]:
    try:
        return published[name]
    except KeyError:
        raise MarkupError(
            f"It asks for {name!r}, which no tutorial publishes: begin a cell with "
            f"`# publish: {name}`."
        ) from None


class Values(Preprocessor):
    def __init__(self, md: Markdown, published: Published) -> None:
        super().__init__(md)
        self.published = published

    def run(self, lines: list[str]) -> list[str]:
        return with_values("\n".join(lines), self.published).split("\n")


class Explorable(Block):  # type: ignore[misc]  # has no types
    """A place for a script, with what is there without."""

    NAME = "explorable"
    ARGUMENT = True
    OPTIONS = dict.fromkeys(("label", "narrow", "wide"), ("", type_string))

    def on_create(self, parent: Element) -> Element:
        found = lookup(self.argument, self.config["published"])
        if missing := [option for option in self.OPTIONS if not self.options[option]]:
            raise MarkupError(
                f"The explorable {self.argument} lacks {' and '.join(missing)}; expected its label "
                "and the heights that it takes, as in `narrow: 44.8rem` and `wide: 25.4rem`."
            )
        place = SubElement(
            parent,
            "div",
            {
                "class": "explorable",
                "id": self.argument,
                "role": "group",
                "aria-label": self.options["label"],
                "style": f"--narrow: {self.options['narrow']}; --wide: {self.options['wide']}",
                "data-numbers": json.dumps(found["numbers"], separators=(",", ":")),
                OPEN: f"explorable | {self.argument}",
            },
        )
        SubElement(place, "div", {"class": "static"}).text = self.md.htmlStash.store(found["html"])
        return place

    def on_end(self, block: Element) -> None:
        del block.attrib[OPEN]


class PublishedExtension(BlocksExtension):  # type: ignore[misc]  # has no types
    def __init__(self, **config: Any) -> None:
        self.config = {"published": [{}, "What is published, by name, or a JSON file with it"]}
        super().__init__(**config)

    def extendMarkdownBlocks(  # noqa: N802 - the library's name for it
        self, md: Markdown, block_mgr: BlocksProcessor
    ) -> None:
        published = self.getConfig("published")
        if isinstance(published, str | Path):
            published = json.loads(Path(published).read_text(encoding="utf-8"))
        # After snippets, at 32, so that included drawings have values too.
        md.preprocessors.register(Values(md, published), "published", 31)
        register(md, block_mgr, Explorable, published=published)


def makeExtension(**config: Any) -> Extension:  # noqa: N802 - Markdown's name for it
    return PublishedExtension(**config)

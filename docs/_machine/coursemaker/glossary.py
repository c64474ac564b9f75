"""The glossary on every page: a term's first mention links to its entry and tells what it means.

A link works with a keyboard, on a touch screen and without scripts, where a tooltip alone needs a
mouse. Both come from the glossary: the entry, and its first sentence as the title. On the glossary
itself, which is known by its entries, each of them gets its anchor.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.extensions.toc import slugify
from markdown.treeprocessors import Treeprocessor

# In the glossary, but on nearly every page: links there would be in the reader's way.
EVERYDAY = {
    *("batch", "bias", "feature", "label", "layer", "loss", "model", "optimizer", "parameter"),
    *("prediction", "probability", "seed", "test data", "training data", "weight"),
}
SENTENCE = re.compile(r".+?\.(?= |$)")
# No running prose, or linked already.
SKIPPED = {
    *("a", "abbr", "autoref", "button", "code", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("label", "math", "pre", "script", "style", "summary", "svg", "table"),
}


class Term(NamedTuple):
    names: tuple[str, ...]  # the one that the glossary sorts by, then what else it is called
    meaning: str  # as Markdown

    @property
    def anchor(self) -> str:
        return slugify(self.names[0], "-")

    @property
    def tip(self) -> str:
        """The first sentence, as plain text."""
        return next(SENTENCE.finditer(self.meaning))[0].replace("`", "")


@cache
def terms(source: str) -> tuple[Term, ...]:
    """Read the entries of a glossary, a definition list of bold names, before anything inline."""
    markdown = Markdown(extensions=["def_list"])
    lines = source.split("\n")
    for preprocessor in markdown.preprocessors:
        lines = preprocessor.run(lines)
    root = markdown.parser.parseDocument(lines).getroot()
    return tuple(entries(root)) if root is not None else ()


def entries(root: Element) -> Iterator[Term]:
    names: list[str] = []
    for element in root.iterfind("dl/*"):
        if element.tag == "dt":
            names.append((element.text or "").strip("*"))
        else:
            yield Term(tuple(names), " ".join("".join(element.itertext()).split()))
            names = []


class Links(Treeprocessor):
    def __init__(self, md: Markdown, terms: tuple[Term, ...], link: str) -> None:
        super().__init__(md)
        self.terms, self.link = terms, link

    def run(self, root: Element) -> None:
        entries = {"".join(entry.itertext()): entry for entry in root.iter("dt")}
        if entries.keys() == {name for term in self.terms for name in term.names}:
            for term in self.terms:
                entries[term.names[0]].set("id", term.anchor)
        elif self.link:
            Mentions(self.terms, self.link).run(root)


class Mentions:
    """Links the first mention of each term that the page doesn't introduce, in italics, itself."""

    def __init__(self, terms: tuple[Term, ...], link: str) -> None:
        self.link = link
        self.left = {
            name.lower(): term
            for term in terms
            if term.names[0] not in EVERYDAY
            for name in term.names
        }
        names = sorted(map(re.escape, self.left), key=len, reverse=True)
        either = "|".join(names).replace(r"\ ", r"\s+")
        self.pattern = re.compile(rf"(?<![\w-])({either})(?:e?s)?(?![\w-])", re.IGNORECASE)

    def run(self, root: Element) -> None:
        for element in root.iter("em"):
            introduced = self.pattern.fullmatch(element.text or "")
            if introduced and not len(element) and not element.attrib:
                self.take(introduced)
        self.visit(root)

    def take(self, match: re.Match[str]) -> Term | None:
        term = self.left.get(" ".join(match[1].lower().split()))
        for name in term.names if term else ():
            del self.left[name.lower()]
        return term

    def visit(self, element: Element) -> None:
        children = list(element)
        element.text, linked = self.links(element.text)
        element[:] = linked
        for child in children:
            if child.tag not in SKIPPED:
                self.visit(child)
            element.append(child)
            child.tail, linked = self.links(child.tail)
            element.extend(linked)

    def links(self, text: str | None) -> tuple[str, list[Element]]:
        """Take a text apart: what stands before the first link, and the links with their tails."""
        before, end = "", 0
        found: list[Element] = []
        for match in self.pattern.finditer(text or ""):
            if term := self.take(match):
                between = (text or "")[end : match.start()]
                if found:
                    found[-1].tail = between
                else:
                    before = between
                href = f"{self.link}#{term.anchor}"
                link = Element("a", {"class": "term", "href": href, "title": term.tip})
                link.text, end = match[0], match.end()
                found.append(link)
        rest = (text or "")[end:]
        if found:
            found[-1].tail = rest
        return (before if found else rest), found


class GlossaryExtension(Extension):
    def __init__(self, **config: Any) -> None:
        self.config = {
            "glossary": ["docs/reference/glossary.md", "The file that defines the terms"],
            "link": ["", "The way there from this page, of which none means no links"],
        }
        super().__init__(**config)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        source = Path(self.getConfig("glossary")).read_text(encoding="utf-8")
        links = Links(md, terms(source), self.getConfig("link"))
        # After formulas, at 7, and before MkDocs looks at anchors and links, at 5 and 0.
        md.treeprocessors.register(links, "glossary", 6)


def makeExtension(**config: Any) -> Extension:  # noqa: N802 - Markdown's name for it
    return GlossaryExtension(**config)

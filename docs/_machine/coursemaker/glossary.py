"""The glossary on every page: a term's first mention links to its entry and tells what it means.

A link works with a keyboard, on a touch screen and without scripts, where a tooltip alone needs a
mouse. Both come from `docs/reference/glossary.md`: the entry, and its first sentence as the title.
"""

import re
from functools import cache
from html import escape
from typing import NamedTuple

from markdown.extensions.toc import slugify
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

GLOSSARY = "reference/glossary.md"
# In the glossary, but on nearly every page: links there would be in the reader's way.
EVERYDAY = {
    *("batch", "bias", "feature", "label", "layer", "loss", "model", "optimizer", "parameter"),
    *("prediction", "probability", "seed", "test data", "training data", "weight"),
}
# The names of a term, in bold on lines of their own, and what it means.
ENTRY = re.compile(r"(?m)((?:^\*\*.+\*\*\n)+):   (.+(?:\n    .+)*)")
SENTENCE = re.compile(r".+?\.(?= |$)")
TOKEN = re.compile(r"""<!--.*?-->|<(?:"[^"]*"|'[^']*'|[^"'>])*>|[^<]+""", re.DOTALL)
# No running prose, or linked already.
SKIPPED = re.compile(
    r"<(/?)(?:a|abbr|autoref|button|code|dt|figure|h[1-6]|label|math|pre|script|style|summary|svg"
    r"|table)[\s>]"
)


class Term(NamedTuple):
    names: list[str]  # the one that the glossary sorts by, then what else it is called
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
    entries = ENTRY.findall(source)
    return tuple(
        Term(re.findall(r"\*\*(.+)\*\*", names), " ".join(text.split())) for names, text in entries
    )


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Give each entry an anchor in Markdown, where MkDocs sees it and checks links to it."""
    if page.file.src_uri == GLOSSARY:
        for term in terms(markdown):
            name = f"**{term.names[0]}**"
            markdown = markdown.replace(f"\n{name}\n", f"\n{name} {{ #{term.anchor} }}\n")
    return markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Link terms, but not on API pages, where parameters are those of a function."""
    if page.file.src_uri == GLOSSARY or page.file.src_uri.startswith("api/"):
        return html
    glossary = files.src_uris[GLOSSARY]
    return linked(html, terms(glossary.content_string), glossary.url_relative_to(page.file))


def linked(html: str, terms: tuple[Term, ...], url: str) -> str:
    """Link the first mention of each term that the page doesn't introduce, in italics, itself."""
    left = {n.lower(): term for term in terms if term.names[0] not in EVERYDAY for n in term.names}
    names = "|".join(sorted(map(re.escape, left), key=len, reverse=True)).replace(r"\ ", r"\s+")
    mention = re.compile(rf"(?<![\w-])({names})(?:e?s)?(?![\w-])", re.IGNORECASE)

    def take(match: re.Match[str]) -> Term | None:
        term = left.get(" ".join(match[1].lower().split()))
        for name in term.names if term else ():
            del left[name.lower()]
        return term

    def link(match: re.Match[str]) -> str:
        if term := take(match):
            tip = escape(term.tip)
            return f'<a class="term" href="{url}#{term.anchor}" title="{tip}">{match[0]}</a>'
        return match[0]

    for emphasised in re.findall(r"<em>([^<]+)</em>", html):
        if match := mention.fullmatch(emphasised):
            take(match)
    result = []
    depth = 0
    for token in TOKEN.findall(html):
        if tag := SKIPPED.match(token):
            depth += -1 if tag[1] else 1
        prose = depth == 0 and not token.startswith("<")
        result.append(mention.sub(link, token) if prose else token)
    return "".join(result)

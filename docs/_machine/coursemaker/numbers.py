"""Finds numbers that were typed where they should have been computed.

Prose, tables, questions, drawings, alt texts and captions take their numbers from what was run. A
decimal, or an integer of three digits and more, counts as typed unless

- `{{ name.key }}` puts it there, or
- the front matter lists it under `given:`, as data, a seed or a setting, or
- it stands in a block of code: on an explanation page anywhere, in a tutorial between the same two
  headings, where the output vouches for it as well, rounded to the digits that are written if
  these are two or more.

What is only in `inline code` is typed, too.

    python -m coursemaker.numbers docs/training/index.md
"""

import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markdown import Markdown

# A sign only where it can't be a dash; no part of a name, `float32`, or of a version, `2.13.0`.
NUMBER = re.compile(
    r"(?:(?<![\w.)])[-−])?(?<![\w.])(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-−+]?\d+)?(?!\.?\d)"
)
RESULT = re.compile(r"[.e]|\d,?\d,?\d")  # what a number holds that is checked
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---(?:\n|\Z)", re.DOTALL)
TERMINAL = re.compile(r"\x1b\[[\d;]*m")  # colours of an error
EXTENSIONS = [
    *("admonition", "attr_list", "def_list", "md_in_html", "tables", "pymdownx.arithmatex"),
    *("pymdownx.details", "pymdownx.snippets", "pymdownx.superfences"),
    *("coursemaker.quiz", "coursemaker.published"),
]
SPOKEN = {"alt", "aria-label"}
# Elements within a sentence; all others begin another.
INLINE = {"a", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup", "tspan", "wbr"}


class Cell(NamedTuple):
    """A cell of a tutorial that was run."""

    kind: str  # markdown, code or raw, as in a notebook
    source: str
    printed: str = ""
    described: Sequence[str] = ()  # alt texts and captions of its figures


@dataclass
class Section:
    """What is said in one place, and what vouches for it there."""

    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)


def typed_on_page(source: str, root: Path = Path()) -> list[str]:
    """Name the typed numbers of an explanation page, each with the words around it.

    Args:
        source: The page as Markdown.
        root: The folder from which it includes drawings and code.

    Raises:
        ValueError: `given` is no list of numbers.
    """
    meta = front_matter(source)
    page = Section(prose=[text for text in meta.values() if isinstance(text, str)])
    for kind, text in read(FRONT_MATTER.sub("", source), parser(root)):
        if kind != "heading":
            (page.code if kind == "code" else page.prose).append(text)
    return typed([page], meta)


def typed_in_tutorial(cells: Iterable[Cell], root: Path = Path()) -> list[str]:
    """Name the typed numbers of a tutorial that was run, each with the words around it.

    Raises:
        ValueError: `given` is no list of numbers.
    """
    meta: dict[str, Any] = {}
    markdown = parser(root)
    sections = [Section()]
    for cell in cells:
        if cell.kind == "raw":
            meta |= front_matter(cell.source)
        elif cell.kind == "code":
            sections[-1].prose += cell.described
            sections[-1].code.append(without_comments(cell.source))
            sections[-1].printed.append(cell.printed)
        else:
            for kind, text in read(cell.source, markdown):
                if kind == "heading":
                    sections.append(Section())
                else:
                    here = sections[-1]
                    (here.code if kind == "code" else here.prose).append(text)
    sections[0].prose += [text for text in meta.values() if isinstance(text, str)]
    return typed(sections, meta)


def cells(notebook: Any) -> Iterator[Cell]:
    """Take the cells out of a notebook that `tutorial.read` read and `run` ran."""
    for cell in notebook.cells:
        described = [*cell.metadata.get("alt", []), *cell.metadata.get("caption", [])]
        printed = "\n".join(shown(output) for output in cell.get("outputs", []))
        yield Cell(cell.cell_type, cell.source, printed, described)


def shown(output: Any) -> str:
    """What an output says in words; the ticks of a figure vouch for nothing."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return ""
    if "text/html" in data:
        return " ".join(text for _, text in Text(data["text/html"]).pieces)
    text = output.get("text") or "\n".join(output.get("traceback", []))
    return TERMINAL.sub("", data.get("text/markdown") or data.get("text/plain") or text)


def front_matter(source: str) -> dict[str, Any]:
    found = FRONT_MATTER.match(source)
    return (yaml.safe_load(found[1]) or {}) if found else {}


def parser(root: Path) -> Markdown:
    anything: dict[str, Any] = defaultdict(
        lambda: {"numbers": defaultdict(lambda: "…"), "html": ""}
    )
    return Markdown(
        extensions=EXTENSIONS,
        extension_configs={
            "coursemaker.published": {"published": anything},
            "pymdownx.arithmatex": {"generic": True},
            "pymdownx.snippets": {"base_path": [str(root)], "check_paths": True},
        },
    )


def read(source: str, markdown: Markdown) -> list[tuple[str, str]]:
    return Text(markdown.reset().convert(source)).pieces


class Text(HTMLParser):
    """What HTML says, piece by piece: prose, code (in blocks), and where a heading begins."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pieces: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.in_code = False
        self.feed(html)
        self.end_piece()

    def end_piece(self) -> None:
        if words := " ".join("".join(self.words).split()):
            self.pieces.append(("code" if self.in_code else "prose", words))
        self.words.clear()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in INLINE:
            self.end_piece()
            self.in_code = self.in_code or tag == "pre"
        if re.fullmatch("h[1-6]", tag):
            self.pieces.append(("heading", ""))
        self.pieces += [("prose", said) for name, said in attrs if name in SPOKEN and said]

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.end_piece()
            self.in_code = self.in_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def without_comments(code: str) -> str:
    """A comment vouches for nothing: it is typed."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return tokenize.untokenize(token for token in tokens if token.type != tokenize.COMMENT)


def typed(sections: list[Section], meta: dict[str, Any]) -> list[str]:
    given = given_numbers(meta)
    unused = set(given)
    found = []
    for section in sections:
        exact = with_sizes([*given, *numbers(section.code)])
        printed = with_sizes(numbers(section.printed))
        for text in section.prose:
            for match in NUMBER.finditer(text):
                number = value(match[0])
                unused -= {number, -number}
                vouched = number in exact or is_rounded(number, printed)
                if RESULT.search(match[0]) and not vouched:
                    found.append(f"{match[0]} in “{around(match)}”")
    return found + [f"{number}, which is given, but not on the page" for number in sorted(unused)]


def given_numbers(meta: dict[str, Any]) -> list[Decimal]:
    given = meta.get("given", [])
    try:
        return [value(NUMBER.fullmatch(str(number))[0]) for number in given]  # type: ignore[index]
    except TypeError:
        raise ValueError(f"given: {given}; expected numbers, as in `[0.7, 1000]`.") from None


def value(number: str) -> Decimal:
    return Decimal(number.replace("−", "-").replace(",", ""))


def numbers(texts: list[str]) -> Iterator[Decimal]:
    return (value(number) for text in texts for number in NUMBER.findall(text))


def with_sizes(numbers: Iterable[Decimal]) -> set[Decimal]:
    """Prose may say “minus 0.8” or “falls by 0.8”: a number vouches for its size, too."""
    return {signed for number in numbers for signed in (number, abs(number))}


def is_rounded(number: Decimal, printed: set[Decimal]) -> bool:
    if len(number.as_tuple().digits) == 1:  # 0.3 would be vouched for by chance
        return number in printed
    half = Decimal((0, (5,), int(number.as_tuple().exponent) - 1))
    return any(abs(other - number) <= half for other in printed)


def around(match: re.Match[str]) -> str:
    return match.string[max(match.start() - 40, 0) : match.end() + 40].strip()


def executed(path: Path) -> Any:
    from coursemaker import (
        run,
        tutorial,
    )  # here, as they take longer to import than a page to check

    source = path.read_text(encoding="utf-8")
    notebook = tutorial.read(source)
    run.run(notebook, Path.cwd(), data=tutorial.files_named(source, path.parent))
    return notebook


def main(paths: Iterable[Path]) -> int:
    """Print the typed numbers of pages, tutorials among them, which are run."""
    total = 0
    for path in paths:
        is_tutorial = path.suffix == ".py"
        found = (
            typed_in_tutorial(cells(executed(path)))
            if is_tutorial
            else typed_on_page(path.read_text(encoding="utf-8"))
        )
        total += len(found)
        print(*(f"{path}: {number}" for number in found), sep="\n", end="\n" * bool(found))
    print(f"{total} typed numbers")
    return total > 0


if __name__ == "__main__":
    sys.exit(main(map(Path, sys.argv[1:])))

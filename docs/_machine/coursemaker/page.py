"""An executed tutorial as Markdown, and what it publishes for other pages."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import Any, NamedTuple

from nbformat import NotebookNode

from coursemaker import figures
from coursemaker.run import is_warning
from coursemaker.tutorial import PARTS, Fault, tags

WIDEST_TABLE = 90  # characters; a longer line of output is a sentence
TERMINAL = re.compile(r"\x1b\[[\d;]*m")  # colours, which torch.load puts into a message
FOLDERS = {Path(tempfile.gettempdir()), Path.home(), Path(__file__).parents[3]}
FOLDERS -= {Path("/")}  # a container's home, and the beginning of every path
MACHINE = "|".join(re.escape(str(folder)) for folder in FOLDERS)
CHANCE = re.compile(rf"\b0x[0-9a-f]{{6,}}|(?:{MACHINE})[/\\]\S*")

# The Markdown that shows a figure: made of its SVG, a name for its ids, its alt text and caption.
Draw = Callable[[str, str, str, str], str]


class Page(NamedTuple):
    """What becomes of a tutorial.

    Attributes:
        markdown: All of it, front matter first.
        published: What its `# publish:` cells are for: by name, numbers, and figures as HTML.
    """

    markdown: str
    published: dict[str, dict[str, Any]]


def inline(svg: str, name: str, alt: str, caption: str) -> str:
    """Make the drawing a part of the page, in the colours of its text."""
    return as_it_is(figures.figure(svg, name, alt, caption))


def write(notebook: NotebookNode, draw: Draw = inline) -> Page:
    """Write an executed notebook as Markdown.

    Raises:
        Fault: A cell shows what no page can.
    """
    texts: list[str] = []
    published: dict[str, dict[str, Any]] = {}
    exercises, places = count(1), count(1)
    solution = ""
    for number, cell in enumerate(notebook.cells):
        try:
            name = " ".join(cell.metadata.get("publish", []))
            if name in published:
                raise Fault(f"Publishes {name} a second time; give each a name of its own.")
            if name:
                published[name] = publication(cell, name)
            text = cell.source if cell.cell_type != "code" else with_results(cell, draw, places)
        except Fault as fault:
            fault.cell = number
            raise
        if kind := next(iter(tags(cell) & PARTS), ""):
            if kind == "exercise":
                texts.append(f'!!! exercise "Exercise {next(exercises)}"')
            elif kind == "solution" and cell.cell_type == "code":
                solution, text = text, python(cell.metadata.starter)
            else:
                text = f"{solution}\n\n{text}" if kind == "solution" else text
                text = folded(kind, kind.capitalize(), text)
            text = indent(text, "    ")  # the box of an exercise goes on with each part
        texts.append(text)
    return Page("\n\n".join(texts) + "\n", published)


def with_results(cell: NotebookNode, draw: Draw, places: Iterator[int]) -> str:
    """Give a cell's code, and below it what it shows, unless that is for other pages."""
    publishes = "publish" in cell.metadata
    code = "" if "hide-input" in tags(cell) or not cell.source else python(cell.source)
    if "collapse" in tags(cell):
        code = folded("code", "Numbers for the page before" if publishes else "Code", code)
    shown = [] if publishes else results(cell, "figure", draw, places)
    return "\n\n".join([code, *shown]).lstrip("\n")


def publication(cell: NotebookNode, name: str) -> dict[str, Any]:
    """Give what a cell is for elsewhere: numbers, if it prints any as JSON, and its figures."""
    html: list[str] = []

    def keep(svg: str, place: str, alt: str, caption: str) -> str:
        html.append(figures.figure(svg, place, alt, caption))
        return ""

    results(cell, name, keep, count(1))
    printed = "".join(output.get("text", "") for output in cell.outputs)
    try:
        numbers = json.loads(printed or "{}")
    except ValueError as error:
        raise Fault(f"Publishes {name}, but prints no JSON ({error}): {printed[:80]!r}") from error
    if not isinstance(numbers, dict):
        raise Fault(f"Publishes {name} as {printed[:80]!r}; expected one JSON object.")
    return {"numbers": numbers, "html": "".join(html)}


def results(cell: NotebookNode, name: str, draw: Draw, places: Iterator[int]) -> list[str]:
    """Give each thing that a cell shows as Markdown."""
    if "hide-output" in tags(cell):
        return []
    alts = list(cell.metadata.get("alt", []))
    caption = " ".join(cell.metadata.get("caption", []))
    shown = []
    for position, output in enumerate(cell.outputs):
        data = output.get("data", {})
        if is_warning(output) and output in cell.outputs[:position]:
            continue
        if "text/markdown" in data:
            text = data["text/markdown"]
        elif "image/svg+xml" in data:
            if not alts:
                raise Fault("A figure without alt text: begin the cell with `# alt: …`.")
            place = f"{name}-{next(places)}"
            text = draw(data["image/svg+xml"], place, alts.pop(0), caption)
        elif "text/html" in data:
            label = caption or f"Table {next(places)}"
            text = as_it_is(figures.table(data["text/html"], label))
        else:
            text = plain(output)
        shown.append(text)
    if alts:
        raise Fault(f"An alt text without a figure: {alts[0]!r}.")
    if chance := CHANCE.search("\n".join(shown)):
        raise Fault(f"Shows {chance[0]}, which no other build would: don't print it.")
    return shown


def plain(output: NotebookNode) -> str:
    """Give printed text, a value or a message as the page shows it."""
    stream_or_error = output.get("text") or output.get("traceback", [""])[0]
    text = TERMINAL.sub("", output.get("data", {}).get("text/plain", stream_or_error))
    # A sentence is wrapped, as an error says its cure at the end; a table keeps its columns.
    wrap = " .wrap" if max(map(len, text.splitlines()), default=0) > WIDEST_TABLE else ""
    return fence(text, f"{{ .text .output .no-copy{wrap} }}")


def python(code: str) -> str:
    return fence(code, "{ .python }")


def folded(kind: str, title: str, text: str) -> str:
    return f'??? {kind} "{title}"\n\n{indent(text.strip(), "    ")}'


def as_it_is(html: str) -> str:
    """Give Markdown that becomes this HTML wherever it stands; mkdocs.yml names the fence."""
    return fence(html, "shown")


def shown(source: str, *_: Any, **__: Any) -> str:
    """Format the fence of that name, as pymdownx.superfences asks."""
    return source


def fence(text: str, info: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks} {info}\n{text.rstrip()}\n{marks}"

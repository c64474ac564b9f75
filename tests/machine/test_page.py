"""An executed notebook as Markdown: outputs, figures, exercises, and what it publishes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import ROOT
from coursemaker.page import shown as as_shown
from coursemaker.page import write
from coursemaker.tutorial import Fault
from markdown import Markdown
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="10pt" height="10pt" viewBox="0 0 10 10" version="1.1"><defs><path id="mark" d="M0 0"/>'
    '</defs><g id="axes"><use xlink:href="#mark" x="1.23456" y="2" '
    'style="fill: #0072b2; stroke: #000000"/><text style="font-family: serif; fill: #000000">x'
    "</text></g></svg>"
)


def code(source: str = "", outputs: list[NotebookNode] | None = None, **metadata: object) -> Any:
    return new_code_cell(source, metadata=metadata, outputs=outputs or [])


def stream(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def shown(**data: str) -> Any:
    kinds = {"svg": "image/svg+xml", "html": "text/html", "markdown": "text/markdown"}
    return new_output("display_data", {kinds.get(k, "text/plain"): v for k, v in data.items()})


def page(*cells: NotebookNode) -> str:
    return write(new_notebook(cells=list(cells))).markdown


def rendered(markdown: str) -> str:
    fences = [{"name": "shown", "class": "", "format": as_shown}]
    settings = {"pymdownx.superfences": {"custom_fences": fences}}
    names = ["admonition", "attr_list", "pymdownx.details", "pymdownx.superfences"]
    return Markdown(extensions=names, extension_configs=settings).convert(markdown)


def test_code_and_what_it_prints() -> None:
    html = rendered(page(code("print(1)", [stream("1 < 2 and\n```\nin a fence\n")])))
    assert re.search(r'<div class="[^"]*highlight">.*print', html, re.DOTALL)
    assert "1 &lt; 2 and\n```\nin a fence" in html
    assert 'class="output no-copy highlight"' in html


def test_a_sentence_is_wrapped_and_a_table_is_not() -> None:
    assert ".wrap" in page(code("1", [stream("long " * 30)]))
    assert ".wrap" not in page(code("1", [stream("short\n" * 30)]))


def test_markdown_and_tables_are_themselves() -> None:
    html = rendered(
        page(
            code("1", [shown(markdown="Bold is **bold**.")]),
            code("2", [shown(html='<style>td {color: red}</style><table border="1"></table>')]),
        )
    )
    assert "Bold is <strong>bold</strong>." in html
    region = '<div class="scroll" role="region" aria-label="Table 1" tabindex="0"><table></table>'
    assert region in html
    assert "color: red" not in html
    named = page(code("3", [shown(html="<table></table>")], caption=['Sizes & "so on"']))
    assert 'aria-label="Sizes &amp; &quot;so on&quot;"' in rendered(named)


def test_an_error_shows_what_the_reader_would_see() -> None:
    error = new_output("error", ename="E", evalue="", traceback=["\x1b[31mIt broke\x1b[0m", "all"])
    text = page(code("1 / 0", [error], tags=["raises-exception"]))
    assert "It broke" in text
    assert "\x1b" not in text
    assert "all" not in text


def test_tags_hide_and_fold() -> None:
    text = page(
        code("hidden_input()", tags=["hide-input"]),
        code("shown_input()", [stream("hidden output")], tags=["hide-output"]),
        code("folded()", tags=["collapse"]),
    )
    assert "hidden_input" not in text
    assert "shown_input" in text
    assert "hidden output" not in text
    assert '??? code "Code"\n\n    ``` { .python }\n    folded()' in text
    published = code("folded()", [stream("{}")], tags=["collapse"], publish=["x"])
    assert '??? code "Numbers for the page before"' in page(published)


def test_a_warning_that_repeats_is_shown_once() -> None:
    warning = new_output("display_data", {"text/plain": "careful"}, metadata={"warning": "line 1"})
    assert page(code("1", [warning, warning])).count("careful") == 1


class Ids(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for key, value in attrs if key == "id"]


def test_figures_are_part_of_the_page_and_described() -> None:
    first = code(
        "a", [shown(svg=SVG)], alt=["A blue point; it is small."], caption=["A <small> one."]
    )
    html = rendered(page(first, code("b", [shown(svg=SVG)], alt=["Another."])))
    drawn = [ElementTree.fromstring(svg) for svg in re.findall("<svg.*?</svg>", html)]
    one, two = drawn
    assert "width" not in one.attrib
    title, described = one.attrib["aria-labelledby"].split()
    texts = {element.get("id"): element.text for element in one.iter()}
    assert (texts[title], texts[described]) == ("A <small> one.", "A blue point; it is small.")
    assert "<figcaption>A &lt;small&gt; one.</figcaption>" in html
    use = next(one.iter("use"))
    assert (use.get("fill"), use.get("stroke"), use.get("x")) == ("#0072b2", "currentColor", "1.23")
    assert not re.search("style=|#000000|font-family", html[html.index("<figure") :])
    ids = Ids(html).ids
    assert len(ids) == len(set(ids))
    for figure in (one, two):
        own = {element.get("id") for element in figure.iter()}
        used = re.findall(r'href="#([^"]+)', ElementTree.tostring(figure, "unicode"))
        assert used
        assert set(used) <= own


def drawn(inside: str) -> str:
    """What is left of a drawing, below its title and description."""
    svg = SVG.partition("<defs>")[0] + inside + "</svg>"
    html = rendered(page(code("1", [shown(svg=svg)], alt=["A drawing."])))
    return html.partition("</desc>")[2].partition("</svg>")[0]


def test_a_figure_holds_what_is_seen() -> None:
    path = '<path d="M 1 2"/>'
    line = drawn(path)
    assert line == '<path d="M 1 2" />'
    assert drawn(f"{path}\n \n") == line
    assert drawn(f"<metadata>x</metadata>{path}<style>*{{}}</style>") == line
    assert drawn(f'{path}<path style="fill: none" d="M0 0"/><g id="x"> </g><defs></defs>') == line
    assert drawn(f'<g id="axes">\n <g>{path}</g>\n</g>') == line
    assert drawn('<path d="M 1.0001\n2.001" transform="rotate(-0 1 2)"/>') == line
    assert drawn(f'<g fill="red">{path}</g>') == f'<g fill="red">{line}</g>'
    assert 'stroke="red"' in drawn('<path style="fill: none; stroke: red" d="M0 0"/>')


def test_a_picture_in_a_figure_has_256_colours() -> None:
    picture = Image.new("RGB", (64, 64))
    picture.putdata([(x * 4, y * 4, 0) for x in range(64) for y in range(64)])
    png = io.BytesIO()
    picture.save(png, "png")
    address = f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"
    found = re.search(r'href="data:image/png;base64,(.*?)"', drawn(f'<image href="{address}"/>'))
    assert found
    lighter = Image.open(io.BytesIO(b64decode(found[1])))
    assert (lighter.mode, lighter.size) == ("P", (64, 64))


def test_an_exercise_is_one_box() -> None:
    html = rendered(
        page(
            new_markdown_cell("Double it.", metadata={"tags": ["exercise"]}),
            code("2 * n", [shown(svg=SVG)], tags=["solution"], starter="n", alt=["A line."]),
            code("check()", [stream("doubled: 42")], tags=["check"]),
            new_markdown_cell("Twice.", metadata={"tags": ["hint"]}),
            new_markdown_cell("Because.", metadata={"tags": ["solution"]}),
            new_markdown_cell("After the box."),
        )
    )
    box, after = html.rsplit("</details>", 1)
    assert '<div class="admonition exercise">\n<p class="admonition-title">Exercise 1</p>' in box
    given, folded = box.split('<details class="check">')
    assert "2</span>" not in given
    assert "42" in folded
    assert folded.index('<details class="hint">') < folded.index('<details class="solution">')
    solution = folded.split('<details class="solution">')[1]
    assert "<figure" in solution
    assert "Because." in solution
    assert after.replace("</div>", "").strip() == "<p>After the box.</p>"


def test_published_cells_are_for_other_pages() -> None:
    cell = code("x", [stream('{"steep": 2}'), shown(svg=SVG)], publish=["slopes"], alt=["A line."])
    made = write(new_notebook(cells=[cell]))
    assert made.published["slopes"]["numbers"] == {"steep": 2}
    assert 'aria-labelledby="slopes-1-title slopes-1-desc"' in made.published["slopes"]["html"]
    assert "steep" not in made.markdown
    assert "<svg" not in made.markdown


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (code("1", [shown(svg=SVG)]), "A figure without alt text: begin the cell with `# alt: …`."),
        (code("1", alt=["Nothing."]), "An alt text without a figure: 'Nothing.'."),
        (code("1", [shown(text="<object at 0x7f00deadbeef>")]), "Shows 0x7f00deadbeef, which no"),
        *(
            (code("1", [stream(f"in {folder}/x.py")]), f"Shows {folder}/x.py, which no other build")
            for folder in (tempfile.gettempdir(), Path.home(), ROOT)
        ),
        (code("1", [stream("1 2")], publish=["x"]), "Publishes x, but prints no JSON"),
        (
            code("1", [stream("[1]")], publish=["x"]),
            "Publishes x as '[1]'; expected one JSON object",
        ),
    ],
)
def test_what_no_page_can_show_is_a_fault(cell: NotebookNode, complaint: str) -> None:
    with pytest.raises(Fault, match=re.escape(complaint)) as fault:
        page(new_markdown_cell("# Title"), cell)
    assert fault.value.cell == 1


def test_an_address_is_not_a_folder_of_this_machine_where_home_is_the_root() -> None:
    """As it is for a container's user without a name."""
    program = (
        "from coursemaker.page import CHANCE\n"
        "assert not CHANCE.search('https://pytorch.org')\n"
        "import tempfile\n"
        "assert CHANCE.search(tempfile.gettempdir() + '/x')\n"
    )
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"HOME": "/"}, check=True)


def test_a_name_is_published_once() -> None:
    with pytest.raises(Fault, match="Publishes x a second time"):
        page(*(code("1", [stream("{}")], publish=["x"]) for _ in range(2)))

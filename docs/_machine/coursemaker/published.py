"""What tutorials publish, put where other pages ask for it.

A cell that begins with `# publish: name` prints a JSON object and may draw figures. On any page
`{{ name.key }}` becomes one of its values, and `<div class="explorable" id="name"></div>` is filled
with its figures, which are what readers without JavaScript and on paper see, and with its numbers.
"""

import json
import re
from html import escape
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

VALUE = re.compile(r"{{ ([\w-]+)\.(\w+) }}")
PLACE = re.compile(r'<div class="explorable" id="([\w-]+)"([^>]*)></div>')


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    def value(match: re.Match[str]) -> str:
        numbers = lookup(match[1], page, config)["numbers"]
        if match[2] not in numbers:
            known = ", ".join(numbers)
            raise PluginError(f"{page.file.src_uri}: {match[0]} is none of {match[1]}'s: {known}.")
        return str(numbers[match[2]])

    return VALUE.sub(value, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    def fill(match: re.Match[str]) -> str:
        name, attributes = match.groups()
        found = lookup(name, page, config)
        numbers = escape(json.dumps(found["numbers"], separators=(",", ":")))
        head = f'<div class="explorable" id="{name}" role="group"{attributes}'
        return f'{head} data-numbers="{numbers}"><div class="static">{found["html"]}</div></div>'

    filled = PLACE.sub(fill, html)
    if bad := re.search(r'<div(?=[^>]*class="explorable)(?![^>]*data-numbers)[^>]*>', filled):
        raise PluginError(
            f"{page.file.src_uri}: {bad[0]} stays empty; expected an explorable in one line, as "
            '<div class="explorable" id="name" …></div>.'
        )
    return filled


def lookup(name: str, page: Page, config: MkDocsConfig) -> dict[str, Any]:
    published: dict[str, dict[str, Any]] = config.extra["published"]
    if name not in published:
        raise PluginError(
            f"{page.file.src_uri} asks for {name!r}, which no tutorial publishes: "
            f"begin a cell with `# publish: {name}`."
        )
    return published[name]

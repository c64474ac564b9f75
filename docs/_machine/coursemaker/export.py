"""The executed course as plain Markdown: `python -m coursemaker.export build/markdown`.

A folder that any generator reads: outputs are blocks of code, figures files, numbers filled in.
Only questions keep their notation, for which mkdocs.yml names the extension.
"""

import posixpath
import re
import shutil
import sys
from collections.abc import Container
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import yaml
from mkdocs.config import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation

from coursemaker import page
from coursemaker.published import fill

SHOWN = re.compile(r"(?ms)^( *)(`{3,}) shown\n(.*?)\n\1\2$")
TEMPLATE = re.compile(r"(?m)(\A---\n(?:(?!---).*\n)*)template: .*\n")
INCLUDED = re.compile(r'(?m)^ *--8<-- "(.+?)"$')
TO_TUTORIAL = re.compile(r"\]\(([^)#\s]+)\.py(#[^)]*)?\)")
TO_API = re.compile(r"\[([^]]+)\]\[workflow[\w.]*\]|\[([^]]+)\]\((?:\.\./)*api/[^)]*\)")
EXTENSIONS: list[object] = ["admonition", "attr_list", "def_list", "md_in_html", "tables"]
EXTENSIONS += [
    {"pymdownx.arithmatex": {"generic": True}},
    "pymdownx.details",
    "pymdownx.superfences",
]
EXTENSIONS += ["coursemaker.quiz", "coursemaker.formulas"]


def export(target: Path) -> None:
    """Write the course, less the API pages, to a folder that is made anew."""
    config = load_config("mkdocs.yml")
    config.plugins.on_startup(command="build", dirty=False)
    config = config.plugins.on_config(config)
    files = config.plugins.on_files(get_files(config), config=config)
    config.plugins.on_nav(get_navigation(files, config), config=config, files=files)
    plugin: Any = config.plugins["tutorials"]
    published = config.mdx_configs["coursemaker.published"]["published"]
    shutil.rmtree(target, ignore_errors=True)

    def put(path: Path, markdown: str, uri: str) -> None:
        filled = fill(
            INCLUDED.sub(lambda match: Path(match[1]).read_text("utf-8"), markdown), published
        )
        path.write_text(plain(filled, uri, plugin.made), "utf-8")

    for file in files:
        path = target / "docs" / file.src_uri
        if not file.inclusion.is_included() or file.src_uri.startswith(("api/", "assets/")):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if made := plugin.made.get(file.src_uri):
            path = path.with_suffix(".md")
            put(path, page.write(made.notebook, draw_into(path)).markdown, file.src_uri)
        elif file.src_uri.endswith(".md"):
            put(path, file.content_string, file.src_uri)
        else:
            path.write_bytes(file.content_bytes)
    settings = {"site_name": config.site_name, "markdown_extensions": EXTENSIONS}
    (target / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def plain(markdown: str, uri: str, tutorials: Container[str]) -> str:
    """Leave nothing that only our site understands, and link to tutorials where they are now."""

    def relinked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(uri), f"{link[1]}.py"))
        return f"]({link[1]}.md{link[2] or ''})" if target in tutorials else link[0]

    markdown = TEMPLATE.sub(r"\1", markdown)
    markdown = SHOWN.sub(lambda match: indent(dedent(match[3]), match[1]), markdown)
    markdown = TO_API.sub(lambda match: match[1] or match[2], markdown)
    return TO_TUTORIAL.sub(relinked, markdown)


def draw_into(path: Path) -> page.Draw:
    """Give the way to show a figure as a file beside a page."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def draw(svg: str, name: str, alt: str, caption: str) -> str:
        file = path.with_name(f"{path.stem}-{name}.svg")
        file.write_text(svg, "utf-8")
        return f"![{alt}]({file.name})" + (f"\n\n*{caption}*" if caption else "")

    return draw


if __name__ == "__main__":
    export(Path(sys.argv[1]))

"""What the API pages add to docstrings: where types are documented, where a function is used."""

import ast
import os
import re
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")  # owner/name, set where GitHub builds the site


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Tell autorefs the addresses of other projects' names."""
    for line in (ROOT / "docs/_hooks/inventory.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, url = line.split()
            config.plugins["autorefs"].register_url(name, url)  # type: ignore[attr-defined]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Say below each function which tutorials use it, and what tests it."""
    if not page.file.src_uri.startswith("api/") or page.file.name == "index":
        return markdown
    written = [file for file in files.documentation_pages() if file.src_uri.endswith(".py")]
    sources = {file.src_uri: file.content_string for file in written}
    users = {uri: names_used(source) for uri, source in sources.items()}
    tests = tested_in(page.file.name)

    def with_uses(entry: re.Match[str]) -> str:
        links = [f"[{tutorial_name(uri)}](../{uri})" for uri in users if entry[1] in users[uri]]
        used = f"Used in {', '.join(links)}. " if links else ""
        return f"{entry[0]}\n\n{used}{tests}\n{{ .uses }}"

    return re.sub(r"(?m)^::: workflow\.(\w+)$", with_uses, markdown)


@cache  # read once, not again for each API page and each rebuild of `make serve`
def names_used(source: str) -> set[str]:
    """What a tutorial takes from the package, by import or as `workflow.name`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workflow"):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names |= {node.attr} if node.value.id == "workflow" else set()
    return names


def tutorial_name(uri: str) -> str:
    folder, _, file = uri.removesuffix(".py").rpartition("/")
    if folder.endswith("when-it-breaks"):
        return f"the failures of {file}"
    return f"the {folder} tutorial" if file == "tutorial" else f"the {file.replace('-', ' ')}"


def tested_in(stage: str) -> str:
    path = f"tests/test_{stage}.py"
    if not (ROOT / path).exists():
        raise PluginError(f"docs/api/{stage}.md has no tests: {path} is missing; write them there.")
    link = f"[`{path}`](https://github.com/{REPOSITORY}/blob/main/{path})"
    return f"Tested in {link if REPOSITORY else f'`{path}`'}."

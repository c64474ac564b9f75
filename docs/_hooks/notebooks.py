"""How a tutorial becomes a page: mkdocs-jupyter makes Markdown of it, MkDocs a page of that.

mkdocs-jupyter reads, runs, keeps and offers the notebooks, with a template of ours that writes
Markdown. Rendered by MkDocs, tutorials have checked links, references, notes and search like any
page. Here is what the plugin lacks: tutorials run side by side, all that fail are named, and what
is kept is good until something changes that an output depends on.
"""

import hashlib
import json
import os
import platform
import re
import shutil
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from importlib.metadata import distributions
from importlib.util import find_spec
from multiprocessing.pool import ThreadPool
from pathlib import Path
from textwrap import indent
from typing import Any

import jupytext
import nbformat
from execution import STARTER, TABLES, Fault, solution, starter
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs_jupyter.config import settings
from nbformat.v4 import new_code_cell

HERE = Path(__file__).parent
# Read now, as a running `mkdocs serve` goes on with the code that it started with.
CODE = b"".join((HERE / name).read_bytes() for name in ("execution.py", "figures.py"))
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")  # owner/name, set where GitHub builds the site
WORKERS = int(os.environ.get("WORKFLOW_DOCS_WORKERS", "0")) or os.cpu_count()
# A notebook's first cell. Only a repository says where to install from: no index has the package.
INSTALL = """\
try:
    import workflow
except ImportError:
    {cure}"""
CURE = (
    f"%pip install --quiet git+https://github.com/{REPOSITORY}"
    if REPOSITORY
    else 'raise SystemExit("No package `workflow` here: pip install it from its folder.")'
)

# What Jupyter looks for by name: how cells are run (not the user's own settings), and the kernel.
os.environ["JUPYTER_CONFIG_DIR"] = os.environ["JUPYTER_PATH"] = str(HERE / "jupyter")
settings.templates_dir = str(HERE / "template")


@dataclass
class Tutorial:
    file: File
    script: File
    markdown: str = ""
    html: list[str] = field(default_factory=list)  # figures and tables, kept out of the Markdown
    published: dict[str, Any] = field(default_factory=dict)  # for other pages


tutorials: dict[str, Tutorial] = {}  # of this build, by src_uri


def on_config(config: MkDocsConfig) -> None:
    if REPOSITORY:
        config.edit_uri_template = f"https://github.com/{REPOSITORY}/edit/main/docs/{{path}}"
    plugin = config.plugins["mkdocs-jupyter"].config
    cache = Path(plugin["cache_dir"], digest_of_surroundings())
    plugin["cache_dir"] = str(cache)
    for entry in cache.glob("*.json"):
        try:
            json.loads(entry.read_bytes())
        except ValueError:  # a build was stopped while it wrote
            entry.unlink()


def digest_of_surroundings() -> str:
    """Of everything outside a tutorial that can change its page; the plugin adds its source."""
    package = find_spec("workflow")
    if not package or not package.origin:
        raise ModuleNotFoundError("No package `workflow` here: `pip install -e .` installs it.")
    installed = sorted(f"{package.name} {package.version}" for package in distributions())
    versions = [platform.platform(), platform.python_version(), *installed]
    result = hashlib.sha256(repr(versions).encode() + CODE)
    for table in TABLES:
        result.update(table.read_bytes())
    for root in (Path(package.origin).parent, HERE / "jupyter", HERE / "template"):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                content = path.read_bytes()
                result.update(f"{path.relative_to(root)} {len(content)} ".encode() + content)
    return result.hexdigest()


def on_files(files: Files, config: MkDocsConfig) -> None:
    plugin: Any = config.plugins["mkdocs-jupyter"]
    tutorials.clear()
    for file in [file for file in files if file.inclusion.is_included()]:
        if plugin.should_include(file):
            path = file.src_uri.removesuffix(".py")
            made = {
                ending: File.generated(config, f"{path}/{file.name}{ending}", content=content)
                for ending, content in downloads(file.content_string).items()
            }
            for download in made.values():
                files.append(download)
            tutorials[file.src_uri] = Tutorial(file, made[".py"])


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> None:
    """Make the tutorials side by side, before any page, and name all that fail in one message."""
    # Its threads don't keep a build alive that is stopped by Ctrl-C, and kernels end with it.
    with ThreadPool(WORKERS) as pool:
        make = partial(attempt, config=config, files=files)
        reports = [report for report in pool.map(make, tutorials.values(), 1) if report]
    if reports:
        number = "A tutorial" if len(reports) == 1 else f"{len(reports)} tutorials"
        raise PluginError("\n\n".join([f"{number} failed.", *reports]))
    published: dict[str, Any] = {}  # by name, for _hooks/published.py
    config.extra["published"] = published
    for tutorial in tutorials.values():
        if twice := published.keys() & tutorial.published.keys():
            raise PluginError(f"Published by two tutorials: {', '.join(sorted(twice))}.")
        published |= tutorial.published


def attempt(tutorial: Tutorial, config: MkDocsConfig, files: Files) -> str | None:
    page: Any = tutorial.file.page
    try:
        plugin = config.plugins["mkdocs-jupyter"]
        plugin.on_pre_page(page, config=config, files=files)  # replaces page.render
        page.render(config, files)
    except Fault as fault:
        return describe(fault, tutorial.file)
    content = json.loads(unescape(page.content))
    below_the_title = rf"\g<0>\n{links(tutorial.file)}\n{{ .downloads }}\n"
    markdown = content["markdown"].lstrip()
    tutorial.markdown = re.sub(r"(?m)^# .+\n", below_the_title, markdown, count=1)
    tutorial.html = content["html"]
    tutorial.published = content["published"]
    return None


def describe(fault: Fault, file: File) -> str:
    source = file.content_string
    kinds = [cell.cell_type for cell in jupytext.reads(source, "py:percent").cells]
    kind = kinds[fault.cell]
    number = kinds[: fault.cell + 1].count(kind)
    line = "".join(blocks(source)[: fault.cell]).count("\n") + 2  # below its `# %%`
    reason = indent(str(fault), "    ").strip()
    return f"{file.src_uri}, {kind} cell {number} (from line {line}):\n    {reason}"


def blocks(source: str) -> list[str]:
    """Split at the marks of cells; what stands above the first is the front matter."""
    return [block for block in re.split(r"(?m)^(?=# %%)", source) if block]


@event_priority(-100)  # after mkdocs-jupyter, which puts a render of its own there
def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> None:
    if page.file.src_uri in tutorials:
        del page.render  # which leaves MkDocs' own


def on_page_read_source(page: Page, config: MkDocsConfig) -> str | None:
    tutorial = tutorials.get(page.file.src_uri)
    return tutorial.markdown if tutorial else None


@event_priority(100)  # before search and others look at the page
def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    pieces = tutorials[page.file.src_uri].html if page.file.src_uri in tutorials else []
    for number, piece in enumerate(pieces, 1):
        html = html.replace(f"<p>%%html-{number}%%</p>", piece)
    return html


@event_priority(-100)  # after mkdocs-jupyter
def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Put the reader's script where the plugin has offered the source, solutions and all."""
    if tutorial := tutorials.get(page.file.src_uri):
        tutorial.script.copy_file()


def on_post_build(config: MkDocsConfig) -> None:
    """Drop what was kept for another package, template or Python."""
    current = Path(config.plugins["mkdocs-jupyter"].config["cache_dir"])
    for folder in current.parent.glob("*/"):
        if folder != current:
            shutil.rmtree(folder)


# The downloads


def downloads(source: str) -> dict[str, str]:
    """The same source for the reader to run, by the ends of the files' names."""
    parts = blocks(source)
    to_do = [part for block in parts if (part := without_solution(block))]
    made = {".py": "".join(map(as_script, to_do)), ".ipynb": as_notebook(to_do)}
    if STARTER.search(source):
        made["-solutions.ipynb"] = as_notebook(list(map(solution, parts)))
    return made


def without_solution(block: str) -> str:
    head, _, _ = block.partition("\n")
    if '"solution"' not in head:
        return block
    if "[markdown]" in head:  # the explanation
        return ""
    return starter(block).replace('"solution"', '"exercise"', 1) + "\n\n"


def as_notebook(parts: list[str]) -> str:
    notebook = jupytext.reads("".join(parts), "py:percent")
    cells = [cell for cell in notebook.cells if cell.cell_type != "raw"]  # the front matter
    for cell in cells:
        if "hint" in cell.metadata.get("tags", []):
            cell.source = f"<details><summary>Hint</summary>\n\n{cell.source}\n\n</details>"
    notebook.cells = [new_code_cell(INSTALL.format(cure=CURE)), *cells]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # in place of a random one
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return f"{nbformat.writes(notebook)}\n"


def as_script(block: str) -> str:
    """A notebook goes on after a cell that is meant to fail; a script has to be told to."""
    head, _, code = block.partition("\n")
    if '"raises-exception"' not in head:
        return block
    message = 'print(f"{type(error).__name__}: {error}")'
    body = indent(code.strip("\n"), "    ")
    return f"{head}\ntry:\n{body}\nexcept Exception as error:\n    {message}\n\n"


def links(file: File) -> str:
    path, name = file.src_uri.removesuffix(".py"), file.name
    saved_as = path.replace("/", "-")
    notebook = f'[Notebook]({name}/{name}.ipynb){{ download="{saved_as}.ipynb" }}'
    script = f'[Python file]({name}/{name}.py){{ download="{saved_as}.py" }}'
    offers = [notebook, script]
    if STARTER.search(file.content_string):
        solved = f"{name}/{name}-solutions.ipynb"
        offers.append(f'[With solutions]({solved}){{ download="{saved_as}-solutions.ipynb" }}')
    if REPOSITORY:
        # Colab reads from GitHub, where the notebooks of the built site are a branch.
        colab = f"https://colab.research.google.com/github/{REPOSITORY}/blob/notebooks/{path}"
        offers.append(f"[Open in Colab]({colab}/{name}.ipynb)")
    return " · ".join(offers)

"""mkdocs-jupyter, with tutorials that become Markdown: the one place that knows that plugin.

The plugin finds the tutorials and makes each a page of the site. What is different here: they are
run side by side in kernels of ours, all that fail are named, readers are offered downloads in place
of the source, and MkDocs renders the Markdown that is made of them as it does any page's.

Relied on, though not documented: that the plugin finds with `should_include` and `on_files` and
renders in `on_pre_page`, which is left out here; that extensions read `mdx_configs` when each page
is rendered; that MkDocs keeps a plugin that has `on_startup` from one rebuild to the next; and that
its server calls `builder`. tests/machine/test_plugin.py notices when one of them changes.
"""

import logging
import os
import posixpath
import re
import time
from collections.abc import Callable
from html import escape
from itertools import count
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException, PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs_jupyter.plugin import Plugin
from nbformat import NotebookNode

from coursemaker import check, quiz, run, tutorial
from coursemaker import page as pages
from coursemaker.blocks import MarkupError
from coursemaker.forks import Prepared
from coursemaker.store import Store, key
from coursemaker.tutorial import Fault

GLOSSARY = "reference/glossary.md"
log = logging.getLogger("mkdocs.plugins.coursemaker")
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")  # owner/name, set where GitHub builds the site


class Made(NamedTuple):
    """A tutorial that ran, and what was made of it."""

    notebook: NotebookNode
    page: pages.Page


class Tutorials(Plugin):  # type: ignore[misc]  # has no types
    """The plugin `tutorials` of mkdocs.yml."""

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Be kept from one rebuild of `mkdocs serve` to the next."""
        self.message = ""

    def on_config(self, config: MkDocsConfig) -> None:
        """Read what the environment sets."""
        self.root = Path(config.config_file_path).parent
        self.began = self.stamps(config)
        self.seconds = number(
            "WORKFLOW_DOCS_CELL_SECONDS", run.SECONDS, "seconds that a cell may take"
        )
        self.workers = number(
            "WORKFLOW_DOCS_WORKERS", os.cpu_count() or 1, "tutorials run at a time"
        )
        if REPOSITORY:
            config.edit_uri_template = f"https://github.com/{REPOSITORY}/edit/main/docs/{{path}}"

    def should_include(self, file: File) -> bool:
        """Say whether a file is a tutorial; what makes the site isn't, nor is Markdown."""
        is_page = file.inclusion.is_included() and file.src_uri.endswith(".py")
        return is_page and bool(super().should_include(file))

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Run the tutorials, then tell the pages what they publish and the readers what to take."""
        files = super().on_files(files, config=config)
        found = [file for file in files if self.should_include(file)]
        self.api = {  # where a name of the package is documented
            name: path.stem
            for path in Path(config.docs_dir, "api").glob("*.md")
            for name in re.findall(r"(?m)^::: (workflow\.\w+)$", path.read_text("utf-8"))
        }
        self.store = Store(self.root / self.config["cache_dir"])
        self.made = self.make_all(found)
        published: dict[str, Any] = {}
        for uri, made in self.made.items():
            if twice := published.keys() & made.page.published.keys():
                raise PluginError(
                    f"{uri} publishes {min(twice)}, as another tutorial does; give it another name."
                )
            published |= made.page.published
        config.mdx_configs.setdefault("coursemaker.published", {})["published"] = published
        for file in found:
            path = file.src_uri.removesuffix(".py")
            for ending, content in self.downloads(file, files, config).items():
                name = f"{path}/{file.name}{ending}"
                files.append(File.generated(config, name, content=content))
        return files

    def downloads(self, file: File, files: Files, config: MkDocsConfig) -> dict[str, str]:
        """Give what readers take away, with links to the site where it has an address."""
        site, folder = config.site_url or "", posixpath.dirname(file.src_uri)
        local = urlsplit(site).hostname in ("127.0.0.1", "localhost", None)

        def address(target: str) -> str | None:
            path, _, fragment = target.partition("#")
            if urlsplit(target).scheme:
                return target
            if target.startswith("workflow."):
                path, fragment = f"/api/{self.api.get(target, 'index')}.md", target
            page = files.src_uris.get(posixpath.normpath(posixpath.join(folder, path)).lstrip("/"))
            if local or not page:
                return None
            return urljoin(site, page.url) + (f"#{fragment}" if fragment else "")

        beside = tutorial.files_named(file.content_string, Path(str(file.abs_src_path)).parent)
        around = tutorial.Around(address, REPOSITORY, [path.name for path in beside])
        return tutorial.downloads(self.made[file.src_uri].notebook, around)

    def make_all(self, files: list[File]) -> dict[str, Made]:
        """Make what isn't kept side by side, and name all that fail in one message."""
        reports: list[str] = []
        made: dict[str, Made] = {}
        finished = count(1)
        digits = len(str(len(files)))

        def attempt(file: File) -> None:
            began = time.perf_counter()
            try:
                source = file.content_string
                made[file.src_uri], kept = self.make(file, prepared)
            except UnicodeDecodeError as error:
                reports.append(f"{file.src_uri}: {error}; expected UTF-8. Save it as that.")
                return
            except Fault as fault:
                reports.append(f"{file.src_uri}, {tutorial.describe(fault, source)}")
                return
            finally:
                place = f"[{next(finished):{digits}}/{len(files)}]"
                if file.src_uri not in made or not kept:
                    log.info("%s %s  %.1f s", place, file.src_uri, time.perf_counter() - began)

        # The threads don't keep a build alive that is stopped by Ctrl-C, and kernels end with it.
        with Prepared() as prepared, ThreadPool(self.workers) as pool:
            pool.map(attempt, sorted(files, key=length, reverse=True), 1)
        if reports:
            number = "A tutorial" if len(reports) == 1 else f"{len(reports)} tutorials"
            raise PluginError("\n\n".join([f"{number} failed.", *sorted(reports)]))
        return made

    def make(self, file: File, prepared: Prepared | None) -> tuple[Made, bool]:
        """Give what a tutorial comes to, and whether it was kept."""
        while True:
            source = file.content_string
            beside = tutorial.files_named(source, Path(str(file.abs_src_path)).parent)
            before = key(source, self.root, beside)
            if notebook := self.store.get(before):
                return Made(notebook, pages.write(notebook)), True
            notebook = tutorial.read(source)
            run.run(notebook, self.root, data=beside, seconds=self.seconds, prepared=prepared)
            made = Made(notebook, pages.write(notebook))
            if key(file.content_string, self.root, beside) == before:
                self.store.put(before, notebook)
                return made, False
            log.info("%s is run again: what it depends on was edited meanwhile.", file.src_uri)

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        """Find the questions of each page, for the marks in the contents and the progress."""
        self.quizzes = {}
        for file in [page.file for page in nav.pages if page.file.src_uri.endswith(".md")]:
            try:
                found = quiz.questions(file.content_string)
            except MarkupError as error:
                raise PluginError(f"{file.src_uri}: {error}") from error
            if found:
                self.quizzes[file.src_uri] = page_key(file.src_uri), found
        table = {"numbers": {"progress": quiz.progress(self.quizzes)}, "html": ""}
        config.mdx_configs["coursemaker.published"]["published"]["quizzes"] = table

    def on_page_markdown(
        self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files
    ) -> None:
        """Tell the extensions where the page is that comes next."""
        uri = page.file.src_uri
        config.mdx_configs["coursemaker.quiz"] = {"page": page_key(uri)}
        link = posixpath.relpath(GLOSSARY, posixpath.dirname(uri) or ".")
        config.mdx_configs["coursemaker.glossary"] = {
            "glossary": str(Path(config.docs_dir, GLOSSARY)),
            "link": "" if uri.startswith("api/") else link,  # there, words are those of a function
        }

    def on_env(self, env: jinja2.Environment, *, config: MkDocsConfig, files: Files) -> None:
        """Give the templates the questions of each page."""
        env.globals["quizzes"] = self.quizzes

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> Page:
        """Leave the rendering to MkDocs."""
        return page

    def on_page_read_source(self, page: Page, *, config: MkDocsConfig) -> str | None:
        """Give a tutorial's Markdown, with what can be downloaded below the title."""
        made = self.made.get(page.file.src_uri)
        if not made:
            return None
        offers = rf"\g<0>\n{links(page.file, made.notebook)}\n{{ .downloads }}\n"
        return re.sub(r"(?m)^# .+\n", offers, made.page.markdown, count=1)

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> None:
        """Stop at what is wrong with a page and Markdown doesn't see."""
        known = {path.removeprefix("./") for file in files for path in (file.url, file.dest_uri)}

        def is_there(address: str) -> bool:
            path = urlsplit(urljoin(f"https://site/{page.url}", address)).path.removeprefix("/")
            return unquote(path) in known or f"{unquote(path)}/" in known

        if found := check.faults(html, is_there):
            raise PluginError("\n".join(f"{page.file.src_uri}: {fault}" for fault in found))

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Drop what was kept for another state of things."""
        self.store.drop_unused()

    # While serving

    def on_build_error(self, *, error: Exception) -> None:
        """Keep the message for the browser; what an author can mend is no traceback."""
        self.message = str(error)
        if isinstance(error, MarkupError):
            raise PluginError(str(error)) from None  # MkDocs has named the page

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., None]
    ) -> LiveReloadServer:
        """Show in the browser what stops a build, and notice edits made during the first one."""

        def build() -> None:
            try:
                builder()
            except MkDocsException:
                page = Path(config.site_dir, "404.html")  # for all pages, as there are none
                page.write_text(FAILED.format(message=escape(self.message)), "utf-8")

        server.builder = build
        while self.stamps(config) != self.began:
            build()
        return server

    def stamps(self, config: MkDocsConfig) -> dict[Path, int]:
        """Give when each file was written that a rebuild is for."""
        folders = [Path(config.docs_dir), *map(Path, config.watch)]
        files = [path for folder in folders for path in folder.rglob("*") if path.suffix != ".pyc"]
        files.append(Path(config.config_file_path))
        return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


FAILED = """\
<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Failed</title>
<h1>The site could not be built</h1><pre>{message}</pre>
<p>Mend it and save: this page goes on by itself.
"""


def page_key(uri: str) -> str:
    """What a page is called in the reader's browser: `training` for training/index.md."""
    return uri.removesuffix(".md").removesuffix("/index")


def number(variable: str, default: int, what: str) -> int:
    """Give a whole number that the environment may set."""
    text = os.environ.get(variable, "") or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise PluginError(
            f"{variable} is {text!r}; expected a whole number, 1 or more: the {what}."
        )
    return int(text)


def length(file: File) -> tuple[bool, int]:
    """Guess which take longest: those that start processes, then those with the most to run."""
    source = file.content_bytes
    return b"import subprocess" in source, len(source)


def links(file: File, notebook: NotebookNode) -> str:
    path, name = file.src_uri.removesuffix(".py"), file.name
    saved_as = path.replace("/", "-")
    offers = [
        f'[Notebook]({name}/{name}.ipynb){{ download="{saved_as}.ipynb" }}',
        f'[Python file]({name}/{name}.py){{ download="{saved_as}.py" }}',
    ]
    if tutorial.has_exercises(notebook):
        solved = f"{name}/{name}-solutions.ipynb"
        offers.append(f'[With solutions]({solved}){{ download="{saved_as}-solutions.ipynb" }}')
    if REPOSITORY:
        # Colab reads from GitHub, where the notebooks of the built site are a branch.
        colab = f"https://colab.research.google.com/github/{REPOSITORY}/blob/notebooks/{path}"
        offers.append(f"[Open in Colab]({colab}/{name}.ipynb)")
    return " · ".join(offers)

"""What a page has around its content: the seven steps, a description, a picture, the versions."""

import io
import platform
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

DOCS = Path(__file__).parents[1]
KINDS = {"Explained": "{}/index.md", "Run": "{}/tutorial.py", "API": "api/{}.md"}


def on_config(config: MkDocsConfig) -> None:
    """Name the versions that the tutorials run on."""
    torch = version("torch").partition("+")[0]  # without "+cpu", which is about this machine
    config.extra["built_with"] = f"Built with torch {torch} and Python {platform.python_version()}"


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Draw the picture of shared links."""
    picture = social_image(config.site_name)
    files.append(File.generated(config, "assets/social.png", content=picture))


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> None:
    """Give each step in mkdocs.yml its pages, as far as they are written."""
    pages = {page.file.src_uri: page for page in nav.pages}
    for stage in config.extra["stages"]:
        sources = {kind: path.format(stage["name"]) for kind, path in KINDS.items()}
        stage["pages"] = {kind: pages[uri] for kind, uri in sources.items() if uri in pages}


def on_page_context(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Navigation
) -> None:
    """Tell the templates which step a page belongs to."""
    stages = config.extra["stages"]
    context["stage"] = next((s for s in stages if page in s["pages"].values()), None)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Unwrap what code shows as plain ink: half of the elements of a long page."""
    return re.sub(r'<span class="(?:n|nn|nb|fm|o|p|w|m[bfhio])">([^<]*)</span>', r"\1", html)


def on_env(env: jinja2.Environment, config: MkDocsConfig, files: Files) -> None:
    """Stop at pages without a description."""
    pages = [file.page for file in files.documentation_pages() if file.page]
    bare = [page.file.src_uri for page in pages if not page.meta.get("description")]
    if bare:
        raise PluginError(
            f"No description: {', '.join(bare)}. Search engines and shared links show one sentence "
            "about each page; give it as `description:` in the front matter."
        )


@cache  # drawn once, not at each rebuild of `make serve`
def social_image(title: str) -> bytes:
    """Draw the picture of the first page, which is line.svg, with a title above it, as PNG."""
    from matplotlib.figure import Figure  # here, as it takes longer to import than a rebuild

    picture = ElementTree.parse(DOCS / "_theme/line.svg")
    colours = light_colours()
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor=colours["ground"])
    axes = figure.add_axes((0.06, 0.08, 0.88, 0.6))
    axes.set_axis_off()
    axes.invert_yaxis()  # in SVG, y grows downwards
    for path in picture.iterfind(".//*[@class='guesses']/*"):
        x0, y0, x1, y1 = map(float, re.findall(r"[\d.]+", path.attrib["d"]))
        axes.plot([x0, x1], [y0, y1], color=colours["prediction"], linewidth=2.5, zorder=1)
    for dot in picture.iterfind(".//*[@class='train']/*"):
        x, y = (float(dot.attrib[name]) for name in ("cx", "cy"))
        axes.scatter(x, y, s=140, color=colours["train"])
    for square in picture.iterfind(".//*[@class='test']/*"):
        x, y, side = (float(square.attrib[name]) for name in ("x", "y", "width"))
        axes.scatter(x + side / 2, y + side / 2, s=140, color=colours["test"], marker="s")
    figure.text(0.06, 0.8, title, fontsize=64, fontfamily="serif", color=colours["ink"])
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def light_colours() -> dict[str, str]:
    """The colours in site.css, by name, in the light scheme."""
    css = (DOCS / "assets/site.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--([\w-]+): (?:light-dark\()?(#\w+)", css))

"""What a page has around its content: the seven steps, a description, a picture, the versions."""

import io
import platform
import re
from functools import cache
from importlib.metadata import version
from typing import Any

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

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
    """Stop at pages without a description; give the first page its picture."""
    pages = [file.page for file in files.documentation_pages() if file.page]
    bare = [page.file.src_uri for page in pages if not page.meta.get("description")]
    if bare:
        raise PluginError(
            f"No description: {', '.join(bare)}. Search engines and shared links show one sentence "
            "about each page; give it as `description:` in the front matter."
        )
    env.globals["guesses"] = guesses()


def guesses() -> list[tuple[int, float, float]]:
    """Epoch, weight and bias of a model that learns y = 0.7x + 0.3 by gradient descent."""
    x = [i / 50 for i in range(40)]
    weight = bias = 0.0
    history = []
    for epoch in range(101):
        if epoch in (0, 2, 5, 100):
            history.append((epoch, weight, bias))
        errors = [(weight - 0.7) * value + bias - 0.3 for value in x]
        weight -= 0.2 * sum(error * value for error, value in zip(errors, x, strict=True)) / 20
        bias -= 0.2 * sum(errors) / 20
    return history


@cache  # drawn once, not at each rebuild of `make serve`
def social_image(title: str) -> bytes:
    """Draw the line with its training and test data, and a model closing in on them, as PNG."""
    from matplotlib.figure import Figure  # here, as it takes longer to import than a rebuild

    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="#fcfbf8")
    axes = figure.add_axes((0.06, 0.08, 0.88, 0.6))
    axes.set_axis_off()
    for _, weight, bias in guesses():
        axes.plot([0, 1], [bias, weight + bias], color="#D55E00", linewidth=2.5, zorder=1)
    x = [i / 25 for i in range(25)]
    for part, colour, mark in ((x[:20], "#0072B2", "o"), (x[20:], "#009E73", "s")):
        axes.scatter(part, [0.7 * value + 0.3 for value in part], s=140, color=colour, marker=mark)
    figure.text(0.06, 0.8, title, fontsize=64, fontfamily="serif", color="#1c1d20")
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()

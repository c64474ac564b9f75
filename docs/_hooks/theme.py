"""What Material does otherwise than this site wants: its script, its markup and its inline code."""

import base64
import hashlib
import re
from importlib.metadata import version
from typing import Literal
from urllib.parse import urlsplit

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

# Pattern and replacement.
PATCHES = {
    # The search index is fetched when the search is opened, not with every page.
    r'[\w$]+\([\w$]+\(location\.protocol!=="file:"\),([\w$]+\("search"\))\)': r"\1",
    # Instant navigation sets each href anew, which <use> and <image> in an SVG don't allow.
    r'"\[href\], \[src\]"': '":not(use, image)[href], [src]"',
    # Error messages are pasted into the search. Lunr takes quotes, colons and signs in them for
    # operators: `"weight"` would have to be in every result, `-1` in none, `+:` is a syntax error.
    # And it takes each word for the beginning of one, `in` for that of `inference`: not if it's
    # short and finished, as a boost of 1 says.
    r"(\.next\(\{type:2,data:)(\w)(\}\))": (
        r'\1\2.replace(/[":+~^*]|(?<!\\S)-/g," ")'
        r'.replace(/(?<!\\S)\\S{1,3}(?=\\s)/g,"$&^1")\3'
    ),
}
# Other languages' word lists, colours that site.css replaces, source maps, a part of home.html.
UNUSED = re.compile(r"assets/(javascripts/lunr/|stylesheets/palette|images/)|.*\.map$|line\.svg$")
# The stylesheet of those colours, and an attribute that checkboxes may not have.
UNWANTED = re.compile(
    r'<link rel="stylesheet" href="[^"]*/palette\.[^"]*">'
    r'|(?<=id="__(?:drawer|search)") autocomplete="off"'
)

serving = False


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    """Keep what only this event knows."""
    global serving
    serving = command == "serve"


def on_config(config: MkDocsConfig) -> None:
    """Make Material's inline scripts the same on every page, so that their hashes are, too."""
    config.extra["scope"] = urlsplit(config.site_url or "").path or "/"


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Patch Material's script and leave out the files that no page uses."""
    for file in list(files):
        if UNUSED.match(file.src_uri):
            files.remove(file)
        elif re.fullmatch(r"assets/javascripts/bundle\..*\.js", file.src_uri):
            file.content_string = patched(file.content_string)


def patched(script: str) -> str:
    """Apply every patch, or say which one Material has outgrown."""
    for pattern, replacement in PATCHES.items():
        script, count = re.subn(pattern, replacement, script)
        if not count:
            raise PluginError(
                f"The script of Material {version('mkdocs-material')} holds nothing like "
                f"{pattern!r}: install the version that requirements.txt names, or update PATCHES "
                "in docs/_hooks/theme.py."
            )
    return script


def on_env(env: jinja2.Environment, config: MkDocsConfig, files: Files) -> None:
    """Give the templates the Content-Security-Policy.

    It is one for all pages, as instant navigation stays under the policy of the first.
    """
    scripts = " ".join(digest(script) for script in inline_scripts(env, config))
    if serving:  # mkdocs serve adds a script of its own, different each time
        scripts = "'unsafe-inline'"
    env.globals["policy"] = (
        f"default-src 'self'; script-src 'self' {scripts}; img-src 'self' data:; "
        "style-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'self'"
    )


def inline_scripts(env: jinja2.Environment, config: MkDocsConfig) -> list[str]:
    """Render the scripts that Material writes into each page."""
    names = ("base", "palette", "content")
    templates = [env.get_template(f"partials/javascripts/{name}.html") for name in names]
    html = "".join(t.render(config=config, features=config.theme["features"]) for t in templates)
    return re.findall(r"<script>(.*?)</script>", html, re.DOTALL)


def digest(script: str) -> str:
    """Write the hash of a script the way a policy wants it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Drop what this site doesn't want in its pages."""
    return UNWANTED.sub("", output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same for the page of missing pages."""
    return UNWANTED.sub("", output_content)

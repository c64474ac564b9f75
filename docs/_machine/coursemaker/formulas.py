"""Formulas as MathML, made when the site is built, so that a page needs no script to show them."""

from html import unescape
from xml.etree.ElementTree import Element, fromstring

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig

# Implied in HTML, and a nuisance to ElementTree.
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'


class Formulas(Treeprocessor):
    r"""Replaces what arithmatex found, `\(…\)` and `\[…\]`, by MathML."""

    def run(self, root: Element) -> None:
        """Convert the formulas of one page."""
        for element in root.iter():
            if element.get("class") == "arithmatex":
                latex = unescape("".join(element.itertext())).strip()
                display = "block" if latex.startswith(r"\[") else "inline"
                formula = convert(latex[2:-2].strip(), display=display)
                element.text = None
                if display == "block":
                    element.set("tabindex", "0")  # scrolls where it is wider than the page
                element[:] = [fromstring(formula.replace(NAMESPACE, ""))]


class MathML(Extension):
    """Adds the formulas to Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        """Register the converter."""
        md.treeprocessors.register(Formulas(md), "mathml", 5)  # after inline patterns, at 20


def on_config(config: MkDocsConfig) -> None:
    """Make it one of the site's Markdown extensions."""
    config.markdown_extensions.append(MathML())  # type: ignore[arg-type]  # by name or as it is

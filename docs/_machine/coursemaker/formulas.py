"""Formulas as MathML, made when the page is, so that it needs no script to show them."""

from html import unescape
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

# Implied in HTML, and a nuisance to ElementTree.
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'


class Formulas(Treeprocessor):
    r"""Replaces what arithmatex found, `\(…\)` and `\[…\]`, by MathML."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.get("class") == "arithmatex":
                latex = unescape("".join(element.itertext())).strip()
                display = "block" if latex.startswith(r"\[") else "inline"
                formula = convert(latex[2:-2].strip(), display=display)
                element.text = None
                if display == "block":
                    element.set("tabindex", "0")  # scrolls where it is wider than the page
                element[:] = [fromstring(formula.replace(NAMESPACE, ""))]


class FormulasExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        md.treeprocessors.register(Formulas(md), "formulas", 7)  # after inline patterns, at 20


def makeExtension(**config: Any) -> Extension:  # noqa: N802 - Markdown's name for it
    return FormulasExtension(**config)

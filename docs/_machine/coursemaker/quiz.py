"""Questions that a reader answers before the page does, written in Markdown.

    !!! quiz "never-cleared"

        Without `zero_grad`, what does the loss do?

        ( ) It falls more slowly.
        :   No step gets smaller.

        (x) It swings up and down.
        :   Each step is pushed by all the old gradients as well.

The title is the question's name, under which the reader's browser keeps the answer. Two to five
choices of one line each, one of them right, all with a reason. What stands above the question, such
as code, is shown above it.

It becomes a form that assets/quiz.js checks, and a folded list of answers that needs no script.
"""

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

QUIZ = re.compile(r"(?m)^ *!!! quiz\b *(.*?) *$")
NAME = re.compile(r'"[a-z0-9]+(-[a-z0-9]+)*"')
CHOICE = re.compile(r"\([ x]\) ")
PROGRESS = "progress.md"


class Choice(NamedTuple):
    text: Element
    reason: Element
    right: bool


class Questions(Treeprocessor):
    """Turns the admonitions of one page into forms."""

    uri = ""

    def run(self, root: Element) -> None:
        parents = {child: parent for parent in root.iter() for child in parent}
        blocks = [element for element in parents if element.get("class") == "admonition quiz"]
        for number, block in enumerate(blocks, 1):
            title, *content = block
            quiz = form(*parsed(content, f"{self.uri}, question {title.text!r}"))
            quiz.attrib |= {"id": f"quiz-{title.text}", "data-page": key(self.uri)}
            quiz[0].text = f"Question {number} of {len(blocks)}"
            parent = parents[block]
            parent[list(parent).index(block)] = quiz


class Quizzes(Extension):
    """Adds the questions to Markdown."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = Questions()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name for it
        md.treeprocessors.register(self.questions, "quiz", 25)  # before inline patterns, at 20


extension = Quizzes()


def on_config(config: MkDocsConfig) -> None:
    """Make it one of the site's Markdown extensions."""
    config.markdown_extensions.append(extension)  # type: ignore[arg-type]  # by name or as it is


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> None:
    """Find the questions of each page, for the marks in the contents."""
    pages = [page.file for page in nav.pages if page.file.src_uri.endswith(".md")]
    found = {file.src_uri: ids(file.content_string, file.src_uri) for file in pages}
    config.extra["quizzes"] = {uri: (key(uri), found[uri]) for uri in found if found[uri]}


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Tell the extension the page that comes next; put the table where the progress is shown."""
    extension.questions.uri = page.file.src_uri
    if page.file.src_uri != PROGRESS:
        return markdown
    table = "| stage | answered | right |\n|---|---|---|\n"
    for uri, (name, found) in config.extra["quizzes"].items():
        answered, right = (
            f'<span data-quiz="{name}" data-names="{" ".join(found)}" data-counts="{what}">–</span>'
            for what in ("answered", "right")
        )
        table += f"| [{name.capitalize()}]({uri}) | {answered} of {len(found)} | {right} |\n"
    return markdown.replace("%%progress%%", table)


def key(uri: str) -> str:
    """What a page is called in the reader's browser: `training` for training/index.md."""
    return uri.removesuffix(".md").removesuffix("/index")


def ids(markdown: str, uri: str) -> list[str]:
    """Give what a page's forms are called, after checking the names of its questions."""
    found = QUIZ.findall(markdown)
    for name in found:
        if not NAME.fullmatch(name):
            raise PluginError(
                f"{uri}: a question has the name {name or 'none'}; expected small letters, digits "
                'and hyphens, as in `!!! quiz "never-cleared"`.'
            )
        if found.count(name) > 1:
            raise PluginError(f"{uri}: {found.count(name)} questions have the name {name}.")
    return ["quiz-" + name.strip('"') for name in found]


def parsed(content: list[Element], where: str) -> tuple[list[Element], list[Choice]]:
    """Take a block apart into what is asked, the question itself last, and the choices."""
    lines = [line for element in content for line in (element, *element.findall("*"))]
    for line, following in zip(lines, [*lines[1:], Element("end")], strict=True):
        is_choice = CHOICE.match(line.text or "")
        if is_choice and following.tag != "dd":
            raise PluginError(
                f"{where}: {line.text!r} has no reason; right or wrong, write it in the next line, "
                "after `:   `."
            )
        if line.tag == "dt" and not is_choice:
            raise PluginError(
                f"{where}: {line.text!r} is neither marked `( )` nor `(x)`; a choice is one line."
            )
    *asked, listed = content or [Element("p")]
    texts, reasons = listed.findall("dt"), listed.findall("dd")
    if not asked or asked[-1].tag != "p" or listed.tag != "dl" or len(texts) != len(reasons):
        raise PluginError(
            f"{where}: expected the question as a paragraph and, last of all, its choices, each as "
            "`( ) choice` with `:   reason` in the next line."
        )
    choices = []
    for text, reason in zip(texts, reasons, strict=True):
        mark, text.text = (text.text or "")[:4], (text.text or "")[4:]
        choices.append(Choice(text, reason, mark == "(x) "))
    right = sum(choice.right for choice in choices)
    if right != 1 or not 2 <= len(choices) <= 5:
        raise PluginError(
            f"{where}: {len(choices)} choices, {right} of them right; expected 2 to 5 and one "
            "right, which is marked `(x)`."
        )
    return asked, choices


def form(asked: list[Element], choices: list[Choice]) -> Element:
    """Write it so that nothing moves when the script arrives, and all can be read without."""
    quiz = Element("form", {"class": "quiz", "data-search-exclude": ""})
    SubElement(quiz, "p", {"class": "count"})
    fieldset = Element("fieldset")
    quiz.extend([*asked[:-1], fieldset])
    asked[-1].tag = "legend"
    fieldset.append(asked[-1])
    options = SubElement(fieldset, "ol", {"class": "plain"})
    check = SubElement(quiz, "button", {"class": "button"})
    check.text = "Check"
    SubElement(quiz, "div", {"role": "status"})
    answers = SubElement(quiz, "details")
    SubElement(answers, "summary").text = "All answers"
    reasons = SubElement(answers, "ol")
    for number, (text, reason, right) in enumerate(choices):
        label = SubElement(SubElement(options, "li"), "label")
        radio = {"type": "radio", "name": "choice", "value": str(number), "required": ""}
        SubElement(label, "input", radio)
        text.tag, reason.tag = "span", "li"
        label.append(text)
        first = reason[0] if not (reason.text or "").strip() and len(reason) else reason
        verdict = Element("strong")
        verdict.text, verdict.tail, first.text = "Right." if right else "No.", f" {first.text}", ""
        first.insert(0, verdict)
        if right:
            reason.set("class", "right")
        reasons.append(reason)
    return quiz

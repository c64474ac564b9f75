"""Questions that a reader answers before the page does.

    /// quiz | never-cleared
    Without `zero_grad`, what does the loss do?

    - ( ) It falls more slowly.

        No step gets smaller.

    - (x) It swings up and down.

        Each step is pushed by all the old gradients as well.
    ///

Behind the bar stands the question's name, under which the reader's browser keeps the answer. Two to
five choices, one of them right, each with its reason as a paragraph of its own. What stands above
the question, such as code, is shown above it.

It becomes a form that assets/quiz.js checks, and a folded list of answers that needs no script.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from pymdownx.blocks import BlocksExtension, BlocksProcessor
from pymdownx.blocks.block import Block

from coursemaker.blocks import OPEN, MarkupError, register

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CHOICE = re.compile(r"\(([ x])\)\s+")
START = re.compile(r"(?m)^ {0,3}/{3,} *quiz *(?:\| *(.*?) *)?$")
FENCED = re.compile(r"(?ms)^ *(`{3,}|~{3,}).*?^ *\1[`~]* *$")


class Choice(NamedTuple):
    text: Element
    reason: list[Element]
    right: bool


class Quiz(Block):  # type: ignore[misc]  # has no types
    """One question, which becomes a form."""

    NAME = "quiz"
    ARGUMENT = None  # checked by `named`: where Markdown misses it, the block is shown as text

    def on_create(self, parent: Element) -> Element:
        names = self.tracker.setdefault("names", [])
        names.append(self.argument)
        named(names)
        attributes = {"class": "quiz", "id": key(self.argument), "data-search-exclude": ""}
        if page := self.config["page"]:
            attributes["data-page"] = page
        return SubElement(parent, "form", {**attributes, OPEN: f"quiz | {self.argument}"})

    def on_end(self, block: Element) -> None:
        del block.attrib[OPEN]
        asked, choices = parsed(list(block), f"Question {self.argument}")
        block[:] = form(asked, choices)

    def on_inline_end(self, block: Element) -> None:
        number = self.tracker["counted"] = self.tracker.get("counted", 0) + 1
        block[0].text = f"Question {number} of {len(self.tracker['names'])}"


class QuizExtension(BlocksExtension):  # type: ignore[misc]  # has no types
    def __init__(self, **config: Any) -> None:
        self.config = {"page": ["", "What the page is called in the reader's browser"]}
        super().__init__(**config)

    def extendMarkdownBlocks(  # noqa: N802 - the library's name for it
        self, md: Markdown, block_mgr: BlocksProcessor
    ) -> None:
        register(md, block_mgr, Quiz, **self.getConfigs())


def makeExtension(**config: Any) -> BlocksExtension:  # noqa: N802 - Markdown's name for it
    return QuizExtension(**config)


def questions(markdown: str) -> list[str]:
    """Give what the forms of a page will be called, after checking the names of its questions."""
    names = START.findall(FENCED.sub("", markdown))
    named(names)
    return [key(name) for name in names]


def progress(pages: Mapping[str, tuple[str, list[str]]]) -> str:
    """Write the table of what is answered, as Markdown; quiz.js fills it.

    Args:
        pages: By the address of its source: what a page is called in the reader's browser, and its
            questions.
    """
    table = "| stage | answered | right |\n|---|---|---|\n"
    for uri, (name, found) in pages.items():
        answered, right = (
            f'<span data-quiz="{name}" data-names="{" ".join(found)}" data-counts="{what}">–</span>'
            for what in ("answered", "right")
        )
        table += f"| [{name.capitalize()}]({uri}) | {answered} of {len(found)} | {right} |\n"
    return table


def key(name: str) -> str:
    """What a question is called in the reader's browser and on its page."""
    return f"quiz-{name}"


def named(names: list[str]) -> None:
    for name in names:
        if not NAME.fullmatch(name or ""):
            raise MarkupError(
                f"A question has the name {name or 'none'}; expected small letters, digits and "
                "hyphens, as in `/// quiz | never-cleared`."
            )
        if names.count(name) > 1:
            raise MarkupError(f"{names.count(name)} questions have the name {name}.")


def parsed(content: list[Element], where: str) -> tuple[list[Element], list[Choice]]:
    """Take a block apart into what is asked, the question itself last, and the choices."""
    *asked, listed = content or [Element("p")]
    if not asked or asked[-1].tag != "p" or listed.tag != "ul":
        raise MarkupError(
            f"{where}: expected the question as a paragraph and, last of all, the list of its "
            "choices, each as `- ( ) choice`."
        )
    choices = [choice(item, where) for item in listed]
    right = sum(choice.right for choice in choices)
    if right != 1 or not 2 <= len(choices) <= 5:
        raise MarkupError(
            f"{where}: {len(choices)} choices, {right} of them right; expected 2 to 5 and one "
            "right, which is marked `(x)`."
        )
    return asked, choices


def choice(item: Element, where: str) -> Choice:
    loose = not (item.text or "").strip() and len(item)
    text, *reason = item if loose else [item]
    words = (text.text or "").strip()
    mark = CHOICE.match(words)
    if not mark:
        raise MarkupError(f"{where}: {words!r} is neither marked `( )` nor `(x)`.")
    if not reason:
        raise MarkupError(
            f"{where}: {words!r} has no reason; right or wrong, write it below as a paragraph of "
            "its own, four spaces further in."
        )
    text.text = words[mark.end() :]
    return Choice(text, reason, mark[1] == "x")


def form(asked: list[Element], choices: list[Choice]) -> list[Element]:
    """Write it so that nothing moves when the script arrives, and all can be read without."""
    fieldset, answers = Element("fieldset"), Element("details")
    *above, legend = asked
    legend.tag = "legend"
    fieldset.append(legend)
    options = SubElement(fieldset, "ol", {"class": "plain"})
    check = Element("button", {"class": "button"})
    check.text = "Check"
    SubElement(answers, "summary").text = "All answers"
    reasons = SubElement(answers, "ol")
    for number, (text, reason, right) in enumerate(choices):
        label = SubElement(SubElement(options, "li"), "label")
        radio = {"type": "radio", "name": "choice", "value": str(number), "required": ""}
        SubElement(label, "input", radio)
        text.tag, text.tail = "span", None
        label.append(text)
        verdict = Element("strong")
        verdict.text = "Right." if right else "No."
        verdict.tail, reason[0].text = f" {reason[0].text}", ""
        reason[0].insert(0, verdict)
        item = SubElement(reasons, "li", {"class": "right"} if right else {})
        item[:] = reason[0] if len(reason) == 1 else reason
    status = Element("div", {"role": "status"})
    return [Element("p", {"class": "count"}), *above, fieldset, check, status, answers]

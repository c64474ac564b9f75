"""What nbconvert does with a tutorial for mkdocs-jupyter: it runs each cell and judges the outcome.

jupyter/jupyter_nbconvert_config.json puts `Execute` in the place of nbconvert's own preprocessors.
"""

import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from figures import figure, table
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.exporters.templateexporter import default_filters
from nbconvert.preprocessors import CoalesceStreamsPreprocessor, ExecutePreprocessor
from nbformat import NotebookNode

SECONDS = int(os.environ.get("WORKFLOW_DOCS_CELL_SECONDS", "120"))  # a cell that takes longer hangs
WIDEST_TABLE = 90  # characters; a longer line of output is a sentence
TAGS = {
    *("hide-input", "hide-output", "collapse", "raises-exception", "expect-warning"),
    *("exercise", "solution", "check", "hint"),
}
EXERCISE = [  # the last explains the solution
    "markdown cell tagged exercise",
    "code cell tagged solution",
    "code cell tagged check",
    "markdown cell tagged hint",
    "markdown cell tagged solution",
]
# Where the reader's part begins in a solution, and what the reader finds there instead of the rest.
STARTER = re.compile(r"(?m)^( *)# starter:(?: (.*))?\n")
# What a figure shows and is called, at the head of a cell: `# alt: …`, going on in indented lines.
# `# publish: name` gives what the cell shows to other pages instead, see published.py.
DESCRIPTION = re.compile(r"# (alt|caption|publish): (.+(?:\n#   .+)*)\n")
TABLES = sorted(Path(__file__).parents[1].glob("*/*.csv"))  # the data that tutorials read
MACHINE = (tempfile.gettempdir(), str(Path.home()), str(Path(__file__).parents[2]))
TERMINAL = re.compile(r"\x1b\[[\d;]*m")  # colours, which torch.load puts into a message
JOIN = CoalesceStreamsPreprocessor()  # of printed text, which arrives in pieces cut by chance
CHANCE = re.compile(rf"\b0x[0-9a-f]{{6,}}|(?:{'|'.join(map(re.escape, MACHINE))})[/\\]\S*")


class Fault(Exception):  # noqa: N818 - it is the tutorial's, not this program's
    """Why a tutorial can't become a page."""

    cell = 0  # its place in the notebook


class Execute(ExecutePreprocessor):
    def preprocess(self, nb: NotebookNode, resources: Any = None, km: Any = None) -> Any:
        """Run all cells; a kernel that never came up gets one more try."""
        with suppress(RuntimeError):  # what goes wrong in a cell is a Fault
            return self.run(nb, resources)
        try:
            return self.run(nb, resources)
        except RuntimeError as error:
            raise Fault(f"No kernel came up, twice: {error}") from error

    def run(self, nb: NotebookNode, resources: dict[str, Any]) -> Any:
        check_exercises(nb.cells)
        self.timeout, self.shutdown_kernel = SECONDS, "immediate"
        resources["html"] = []  # figures and tables, kept out of the Markdown
        resources["published"] = {}
        with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
            work = Path(folder, "work")  # a tutorial's own, which the kernel goes into
            work.mkdir()
            for table in TABLES:
                shutil.copy(table, work)
            resources["metadata"]["path"] = folder
            self.config.KernelManager.connection_file = f"{folder}/kernel.json"
            if os.name != "nt":
                self.config.KernelManager.transport = "ipc"  # no ports to race for, no network
            return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> Any:
        try:
            prepare(cell)
            super().preprocess_cell(cell, resources, index)  # type: ignore[no-untyped-call]
            if cell.cell_type == "code":
                JOIN.preprocess_cell(cell, resources, index)
                judge(cell)
                cell.metadata.results = []
                if name := " ".join(cell.metadata.get("publish", [])):
                    resources["published"][name] = publication(cell, name)
                else:
                    cell.metadata.results = results(cell, resources["html"])
            return cell, resources
        except CellExecutionError:
            fault = Fault(errors(cell)[0].traceback[-1])
        except CellTimeoutError:
            limit = f"{SECONDS} s, the limit (WORKFLOW_DOCS_CELL_SECONDS sets it)"
            fault = Fault(f"Took longer than {limit}:\n{cell.source}")
        except DeadKernelError:
            reason = "The kernel died: out of memory, or a crash in native code"
            fault = Fault(f"{reason}:\n{cell.source}")
        except Fault as found:
            fault = found
        fault.cell = index
        raise fault


def starter(code: str) -> str:
    """Give what the reader begins with: all above the first starter line, then the starter."""
    found = list(STARTER.finditer(code))
    lines = [f"{line[1]}{line[2] or ''}".rstrip() for line in found]
    return code[: found[0].start()] + "\n".join(lines) if found else code


def solution(code: str) -> str:
    return STARTER.sub("", code)


def check_exercises(cells: list[NotebookNode]) -> None:
    """Fail unless the cells with parts of exercises are those of `EXERCISE`, again and again."""
    part = 0
    for index, cell in enumerate(cells):
        for tag in {"exercise", "solution", "check", "hint"}.intersection(tags(cell)):
            if f"{cell.cell_type} cell tagged {tag}" != EXERCISE[part]:
                raise misplaced(index, part)
            part = (part + 1) % len(EXERCISE)
    if part:
        raise misplaced(len(cells) - 1, part)


def misplaced(index: int, part: int) -> Fault:
    fault = Fault(f"Expected a {EXERCISE[part]}. An exercise is a {', a '.join(EXERCISE)}.")
    fault.cell = index
    return fault


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def errors(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.outputs if output.output_type == "error"]


def is_warning(output: NotebookNode) -> bool:
    return "warning" in output.get("metadata", {})  # the kernel puts it there


def prepare(cell: NotebookNode) -> None:
    """Check the tags, and take what a figure is to be called out of the code."""
    if unknown := set(tags(cell)) - TAGS:
        raise Fault(f"Unknown tag {min(unknown)}; there are {', '.join(sorted(TAGS))}.")
    while found := DESCRIPTION.match(cell.source):
        cell.source = cell.source[found.end() :]
        cell.metadata.setdefault(found[1], []).append(re.sub(r"\n# +", " ", found[2]))
    if "solution" in tags(cell) and cell.cell_type == "code":
        if not STARTER.search(cell.source):
            raise Fault("A solution without a starter: `# starter: …` shows where it begins.")
        cell.metadata.starter, cell.source = starter(cell.source), solution(cell.source)


def judge(cell: NotebookNode) -> None:
    """Fail for a warning without its tag, and for a tag without its error or warning."""
    warnings = [output for output in cell.outputs if is_warning(output)]
    if warnings and "expect-warning" not in tags(cell):
        where, text = warnings[0].metadata.warning, warnings[0].data["text/plain"]
        raise Fault(f"{where}\n{text}\nMend the cause, or tag the cell expect-warning.")
    for tag, found in (("raises-exception", errors(cell)), ("expect-warning", warnings)):
        if tag in tags(cell) and not found:
            raise Fault(f"Tagged {tag}, but it ran without one.")


def publication(cell: NotebookNode, name: str) -> dict[str, Any]:
    """Give what a cell is for elsewhere: numbers, if it prints any as JSON, and its figures."""
    html: list[str] = []
    results(cell, html, name)
    printed = "".join(output.get("text", "") for output in cell.outputs)
    try:
        numbers = json.loads(printed or "{}")
    except ValueError as error:
        raise Fault(f"Publishes {name}, but prints no JSON ({error}): {printed[:80]!r}") from error
    if not isinstance(numbers, dict):
        raise Fault(f"Publishes {name} as {printed[:80]!r}; expected one JSON object.")
    return {"numbers": numbers, "html": "".join(html)}


def results(cell: NotebookNode, html: list[str], name: str = "figure") -> list[str]:
    """Give what a cell shows as Markdown; figures and tables join `html`."""
    if "hide-output" in tags(cell):
        return []
    alts = list(cell.metadata.get("alt", []))
    caption = " ".join(cell.metadata.get("caption", []))
    once = [o for i, o in enumerate(cell.outputs) if not (is_warning(o) and o in cell.outputs[:i])]
    shown = [result(output, alts, caption, html, name) for output in once]
    if alts:
        raise Fault(f"An alt text without a figure: {alts[0]!r}.")
    if chance := CHANCE.search("\n".join(shown)):
        raise Fault(f"Shows {chance[0]}, which no other build would: don't print it.")
    return shown


def result(output: NotebookNode, alts: list[str], caption: str, html: list[str], name: str) -> str:
    data = output.get("data", {})
    number = len(html) + 1
    if "text/markdown" in data:
        return str(data["text/markdown"])
    if "image/svg+xml" in data:
        if not alts:
            raise Fault("A figure without alt text: begin the cell with `# alt: …`.")
        html.append(figure(data["image/svg+xml"], f"{name}-{number}", alts.pop(0), caption))
    elif "text/html" in data:
        html.append(table(data["text/html"], caption or f"Table {number}"))
    else:
        stream_or_error = output.get("text") or output.get("traceback", [""])[0]
        text = TERMINAL.sub("", data.get("text/plain", stream_or_error))
        # A sentence is wrapped, as an error says its cure at the end; a table keeps its columns.
        wrap = " .wrap" if max(map(len, text.splitlines()), default=0) > WIDEST_TABLE else ""
        return fence(text, f"{{ .text .output .no-copy{wrap} }}")
    return f"%%html-{number}%%"  # until the page is rendered


def fence(text: str, info: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks} {info}\n{text.rstrip()}\n{marks}"


default_filters["fence"] = fence  # for the template

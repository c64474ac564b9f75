"""A tutorial: a notebook as text, read into cells, and what its reader takes away."""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

PARTS = {"exercise", "solution", "check", "hint"}
TAGS = PARTS | {"hide-input", "hide-output", "collapse", "raises-exception", "expect-warning"}
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
# `# publish: name` gives what the cell shows to other pages instead.
DESCRIPTION = re.compile(r"# (alt|caption|publish): (.+(?:\n#   .+)*)\n")
# A link, by its path or by a name of the package; code comes first, as it may look like one.
LINK = re.compile(r"`[^`]*`|(?<!!)\[([^]]+)\](?:\(([^)\s]+)\)|\[([^]]+)\])")
INSTALL = """\
try:
    from workflow import fit
except ImportError:
    {cure}"""
FETCH = """\
from pathlib import Path
from urllib.request import urlretrieve

if not Path("{name}").exists():
    urlretrieve("{address}", "{name}")"""


class Fault(Exception):  # noqa: N818 - it is the tutorial's, not this program's
    """Why a tutorial can't become a page."""

    def __init__(self, reason: str, cell: int = 0) -> None:
        super().__init__(reason)
        self.cell = cell  # its place in the notebook


def read(source: str) -> NotebookNode:
    """Give the cells, with what stands in comments for the page taken out of the code."""
    notebook: NotebookNode = jupytext.reads(source, "py:percent")
    notebook.metadata = {"kernelspec": {"name": "workflow", "display_name": "", "language": ""}}
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("lines_to_next_cell", None)
        if lost := [str(value) for key, value in cell.metadata.items() if key != "tags"]:
            raise Fault(f"Text on a cell's mark is on no page: {lost[0]!r}. Put it below.", number)
        if unknown := tags(cell) - TAGS:
            known = ", ".join(sorted(TAGS))
            raise Fault(f"Unknown tag {min(unknown)}; there are {known}.", number)
        while cell.cell_type == "code" and (found := DESCRIPTION.match(cell.source)):
            cell.source = cell.source[found.end() :]
            cell.metadata.setdefault(found[1], []).append(re.sub(r"\n# +", " ", found[2]))
    for number, cell in exercise_parts(notebook):
        if "solution" in tags(cell) and cell.cell_type == "code":
            if not STARTER.search(cell.source):
                reason = "A solution without a starter: `# starter: …` shows where it begins."
                raise Fault(reason, number)
            cell.metadata.starter, cell.source = starter(cell.source), STARTER.sub("", cell.source)
    return notebook


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def exercise_parts(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Fail unless the cells with parts of exercises are those of `EXERCISE`, again and again."""
    part = 0
    for number, cell in enumerate(notebook.cells):
        for tag in tags(cell) & PARTS:
            if f"{cell.cell_type} cell tagged {tag}" != EXERCISE[part]:
                raise misplaced(number, part)
            part = (part + 1) % len(EXERCISE)
            yield number, cell
    if part:
        raise misplaced(len(notebook.cells) - 1, part)


def misplaced(number: int, part: int) -> Fault:
    expected = f"Expected a {EXERCISE[part]}. An exercise is a {', a '.join(EXERCISE)}."
    return Fault(expected, number)


def starter(code: str) -> str:
    """Give what the reader begins with: all above the first starter line, then the starter."""
    found = list(STARTER.finditer(code))
    lines = [f"{line[1]}{line[2] or ''}".rstrip() for line in found]
    return code[: found[0].start()] + "\n".join(lines)


def files_named(source: str, folder: Path) -> list[Path]:
    """Give the files beside a tutorial that its code names, and so needs."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix not in (".md", ".svg")]
    return [path for path in files if path.is_file() and f'"{path.name}"' in source]


def describe(fault: Fault, source: str) -> str:
    """Say where in the source the fault is, and what it is."""
    # jupytext keeps no lines; its cells begin at these marks, one each, below the front matter.
    kinds = [cell.cell_type for cell in jupytext.reads(source, "py:percent").cells]
    marks = [n for n, line in enumerate(source.splitlines(), 1) if line.startswith("# %%")]
    kind = kinds[fault.cell]
    line = ([1] * (len(kinds) - len(marks)) + marks)[fault.cell] + 1
    place = f"{kind} cell {kinds[: fault.cell + 1].count(kind)} (from line {line})"
    return f"{place}:\n    {indent(str(fault), '    ').strip()}"


# The downloads


class Around(NamedTuple):
    """What a tutorial's reader finds outside of it.

    Attributes:
        address: Gives the address of what a link leads to, or None where the site has none.
        repository: `owner/name` on GitHub, to install the package from; no index has it.
        files: Names of the files that have to lie beside the tutorial.
    """

    address: Callable[[str], str | None] = lambda _: None
    repository: str | None = None
    files: Sequence[str] = ()


ALONE = Around()


def downloads(notebook: NotebookNode, around: Around = ALONE) -> dict[str, str]:
    """Give the tutorial for the reader to run, by the ends of the files' names."""
    solved = list(for_reader(notebook, around))
    to_do = [task for cell in solved if (task := without_solution(cell))]
    made = {".py": as_script(to_do), ".ipynb": as_notebook(to_do, around)}
    if has_exercises(notebook):
        made["-solutions.ipynb"] = as_notebook(solved, around)
    return made


def has_exercises(notebook: NotebookNode) -> bool:
    return any("exercise" in tags(cell) for cell in notebook.cells)


def for_reader(notebook: NotebookNode, around: Around) -> Iterator[NotebookNode]:
    """Leave out what only the page needs, and name what the page gives a place."""

    def relinked(link: re.Match[str]) -> str:
        text, path, name = link.groups()
        if text is None:
            return link[0]
        address = around.address(path or name)
        return f"[{text}]({address})" if address else text

    exercises = count(1)
    for cell in map(deepcopy, notebook.cells):
        if "publish" in cell.metadata:
            continue
        for key in ("alt", "caption"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "markdown":
            cell.source = LINK.sub(relinked, cell.source)
        if "exercise" in tags(cell):
            cell.source = f"**Exercise {next(exercises)}.** {cell.source}"
        yield cell


def without_solution(cell: NotebookNode) -> NotebookNode | None:
    if "solution" not in tags(cell):
        return cell
    if cell.cell_type == "markdown":  # the explanation
        return None
    task = deepcopy(cell)
    task.source = task.metadata.starter
    task.metadata.tags = ["exercise"]
    return task


def as_script(cells: list[NotebookNode]) -> str:
    """A notebook goes on after a cell that is meant to fail; a script has to be told to."""
    script = new_notebook(metadata={"jupytext": {"notebook_metadata_filter": "-all"}})
    for cell in map(deepcopy, cells):
        cell.metadata.pop("starter", None)
        if "raises-exception" in tags(cell):
            message = 'print(f"{type(error).__name__}: {error}")'
            body = indent(cell.source, "    ")
            cell.source = f"try:\n{body}\nexcept Exception as error:\n    {message}"
        script.cells.append(cell)
    return str(jupytext.writes(script, "py:percent"))


def as_notebook(cells: list[NotebookNode], around: Around) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = new_notebook(metadata=metadata, cells=[new_code_cell(beginning(around))])
    for cell in map(deepcopy, cells):
        if cell.cell_type == "raw":  # the front matter
            continue
        cell.metadata.pop("starter", None)
        if "hint" in tags(cell):
            cell.source = f"<details><summary>Hint</summary>\n\n{cell.source}\n\n</details>"
        notebook.cells.append(cell)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # in place of a random one
    return f"{nbformat.writes(notebook)}\n"


def beginning(around: Around) -> str:
    """Give a first cell that makes sure of the package and of the files."""
    cure = 'raise SystemExit("No package `workflow` here: pip install it from its folder.")'
    if around.repository:
        cure = f"%pip install --quiet git+https://github.com/{around.repository}"
    parts = [INSTALL.format(cure=cure)]
    for name in around.files:
        if address := around.address(name):
            parts.append(FETCH.format(name=name, address=address))
    return "\n\n".join(parts)

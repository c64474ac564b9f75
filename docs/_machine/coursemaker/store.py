"""Executed tutorials, kept until something changes that their output depends on."""

import ast
import hashlib
import logging
import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

log = logging.getLogger("mkdocs.plugins.coursemaker")
HERE = Path(__file__).parent
# Read now, as a running `mkdocs serve` goes on with the code that it started with.
MACHINE = b"".join(
    (HERE / name).read_bytes()
    for name in (
        "tutorial.py",
        "run.py",
        "kernels/workflow/kernel.json",
        "kernels/workflow/kernel.py",
    )
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
ALWAYS = {"torch", "numpy", "matplotlib", "IPython"}  # IPython writes what a value looks like


# What an output depends on


def key(source: str, root: Path, data: Iterable[Path]) -> str:
    """Name everything that the output of a tutorial depends on.

    That is its source; the code, docstrings and comments aside, of the modules under `root` that it
    imports, and of those that they import; the versions of Python, of torch, NumPy, matplotlib and
    IPython, and of other libraries imported on the way; its data; and how cells are run.
    """
    modules, libraries = imported(source, root)
    files = sorted((file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in data)
    versions = [platform.platform(), platform.python_version(), *map(version_of, sorted(libraries))]
    everything = repr([source, sorted(modules.items()), versions, files])
    return hashlib.sha256(MACHINE + everything.encode()).hexdigest()


def imported(source: str, root: Path) -> tuple[dict[str, str], set[str]]:
    """Find the modules under `root` that a tutorial imports, with their code, and the libraries."""
    modules: dict[str, str] = {}
    libraries = set(ALWAYS)
    seen: set[str] = set()
    left = set(names_imported(code_of(source)))
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found = module(name, root)
        if not found:
            libraries.add(name.partition(".")[0])
            continue
        path, rest = found
        code = path.read_text("utf-8")
        source_of_name = re_exported(code).get(rest) if path.name == "__init__.py" else None
        if source_of_name:
            left.add(source_of_name)
        else:
            modules[path.relative_to(root).as_posix()] = bare(code)
            left |= names_imported(code)
    return modules, libraries - sys.stdlib_module_names


@cache
def code_of(source: str) -> str:
    """Give the code of all cells, less what only IPython understands."""
    cells = jupytext.reads(source, "py:percent").cells
    lines = "\n".join(cell.source for cell in cells if cell.cell_type == "code").splitlines()
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


@cache
def names_imported(code: str) -> frozenset[str]:
    """Give the full names that code imports, of modules and of what is in them."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # which running it will report
        return frozenset()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and "import" in str(node.value):
            names |= names_imported(str(node.value))  # a program that a tutorial writes and starts
    return frozenset(names)


def module(name: str, root: Path) -> tuple[Path, str] | None:
    """Find the file of the module that a name is in, and the rest of the name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = root.joinpath(*parts[:length])
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if file.is_file():
                return file, ".".join(parts[length:])
    return None


@cache
def re_exported(code: str) -> dict[str, str]:
    """Give the names that a package takes from its modules, and where from."""
    found = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{node.module}.{alias.name}" for node in found for alias in node.names}


@cache
def bare(code: str) -> str:
    """Give code without comments, docstrings and layout."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


@cache
def version_of(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:  # it is called otherwise where it comes from, as sklearn is
        return f"{library} {', '.join(map(version, distributions().get(library, [])))}"


@cache
def distributions() -> Any:
    return packages_distributions()


# The folder they are kept in


class Store:
    """A folder of executed notebooks by key; a build can do without it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used: set[Path] = set()

    def get(self, key: str) -> NotebookNode | None:
        """Give the notebook that is kept, unless there is none or it is damaged."""
        path = self.path(key)
        try:
            notebook: NotebookNode = nbformat.reads(path.read_text("utf-8"), as_version=4)
            nbformat.validate(notebook)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
            log.info("%s can't be read (%s); its tutorial is run again.", path, error)
            return None
        return notebook

    def put(self, key: str, notebook: NotebookNode) -> None:
        path = self.path(key)
        temporary = path.with_suffix(".new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(nbformat.writes(notebook), "utf-8")
            temporary.replace(path)
        except OSError as error:
            log.info("%s can't be written (%s); its tutorial is run again next time.", path, error)

    def drop_unused(self) -> None:
        """Keep only what this build took or put."""
        for path in set(self.folder.glob("*")) - self.used:
            try:
                path.unlink()
            except OSError as error:
                log.info("%s can't be removed (%s).", path, error)

    def path(self, key: str) -> Path:
        path = self.folder / f"{key}.ipynb"
        self.used.add(path)
        return path

"""The package as a whole: what it offers, how it is documented, and what is shipped."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import pytest

import workflow

ROOT = Path(__file__).parents[1]
MODULES: list[ModuleType] = [
    importlib.import_module(f"workflow.{module.name}")
    for module in pkgutil.iter_modules(workflow.__path__)
]
STAGES = [module for module in MODULES if not module.__name__.startswith("workflow._")]
FUNCTIONS = [name for name in workflow.__all__ if inspect.isfunction(getattr(workflow, name))]
# The modules' own helpers for one another, and what only types need.
INTERNAL = {
    "HasState",
    "batch_weight",
    "class_numbers",
    "eval_mode",
    "larger_is_better",
    "mean_loss",
    "measured",
    "random_state",
    "ranked",
    "scored",
}


def public_names(module: ModuleType) -> set[str]:
    """Functions and classes written in this module, without those whose name starts with _."""
    return {
        name
        for name, value in vars(module).items()
        if (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


def test_all_lists_exactly_what_the_stages_offer() -> None:
    offered = set.union(*map(public_names, STAGES)) - INTERNAL
    assert set(workflow.__all__) == offered
    assert all(hasattr(workflow, name) for name in workflow.__all__)


def test_all_is_sorted_and_names_nothing_twice() -> None:
    def constants_classes_functions(name: str) -> tuple[bool, bool, str]:
        return not name.isupper(), not name[0].isupper(), name

    assert workflow.__all__ == sorted(set(workflow.__all__), key=constants_classes_functions)


def test_a_star_import_brings_what_all_lists() -> None:
    names: dict[str, object] = {}
    exec("from workflow import *", names)
    assert names.keys() - {"__builtins__"} == set(workflow.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_functions_docstring_says_what_goes_in_and_comes_out(name: str) -> None:
    function = getattr(workflow, name)
    text, signature = inspect.getdoc(function) or "", inspect.signature(function)
    arguments = re.search(r"^Args:\n((?:    .*\n)+)", text, re.MULTILINE)
    described = re.findall(r"^    (\w+): ", arguments[1], re.MULTILINE) if arguments else []
    assert described == list(signature.parameters)
    assert ("\nReturns:\n" in text) == (signature.return_annotation != "None")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_an_example_that_runs(name: str) -> None:
    text = inspect.getdoc(getattr(workflow, name)) or ""
    examples = text.partition("\nExamples:\n")[2]
    assert doctest.DocTestParser().get_examples(examples)  # pytest runs them, in each module


@pytest.mark.parametrize("name", sorted(set(workflow.__all__) - set(FUNCTIONS)))
def test_each_class_says_what_it_is(name: str) -> None:
    assert vars(getattr(workflow, name))["__doc__"].split("\n")[0].endswith(".")


@pytest.mark.parametrize("module", [workflow, *MODULES], ids=lambda module: module.__name__)
def test_each_module_says_what_it_is(module: ModuleType) -> None:
    assert (module.__doc__ or "").strip().endswith(".")


def test_the_types_and_the_version_are_shipped() -> None:
    assert files("workflow").joinpath("py.typed").is_file()
    assert workflow.__version__ == version("pytorch-workflow")


def test_the_package_names_its_licence_and_what_it_needs() -> None:
    about = metadata("pytorch-workflow")
    needs = [n for n in about.get_all("Requires-Dist") or [] if "extra ==" not in n]
    assert about["License-Expression"] == "MIT"
    assert {re.split(r"\W", need)[0] for need in needs} == {"torch", "matplotlib", "tqdm"}


def test_the_readmes_example_runs() -> None:
    [example] = re.findall(
        r"^```python\n(.+?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
    plt.close("all")

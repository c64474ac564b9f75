"""The exercises: a check refuses the starter, says what is wrong, and passes the solution."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Literal, NamedTuple

import jupytext
import matplotlib.pyplot as plt
import pytest
from conftest import ROOT, STAGES, Site
from coursemaker.tutorial import STARTER, files_named, starter
from exercises import ALSO_RIGHT, WRONG
from nbformat import NotebookNode


class Exercise(NamedTuple):
    cell: str  # the reader's, as starter and solution in one
    check: str

    def with_answer(self, answer: str) -> str:
        return self.cell[: next(STARTER.finditer(self.cell)).start()] + answer


class Lesson:
    """A tutorial as its readers download it, run up to its end; exercises as they find them."""

    def __init__(self, stage: str, script: str, module: ModuleType) -> None:
        self.stage, self.variables = stage, vars(module)
        source = (ROOT / f"docs/{stage}/tutorial.py").read_text(encoding="utf-8")
        solutions, checks = code_tagged(source, "solution"), code_tagged(source, "check")
        self.exercises = list(map(Exercise, solutions, checks))
        self.said_at_first = []
        for cell in jupytext.reads(script, "py:percent").cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type == "code":
                printed = self.run(cell.source, "ignore" if "expect-warning" in tags else "error")
                if "check" in tags:
                    self.said_at_first.append(printed.splitlines()[-1])

    def run(self, code: str, on_warning: Literal["ignore", "error"] = "error") -> str:
        with (
            contextlib.redirect_stdout(io.StringIO()) as printed,
            warnings.catch_warnings(record=True),
        ):
            warnings.simplefilter(on_warning)
            exec(code, self.variables)
        plt.close("all")
        return printed.getvalue()

    def judge(self, exercise: Exercise, cell: str) -> str:
        """Run a cell in the exercise's place, and give the last line of what the check says."""
        self.run(cell)
        return self.run(exercise.check).splitlines()[-1]


def code_tagged(source: str, tag: str) -> list[str]:
    cells: list[NotebookNode] = jupytext.reads(source, "py:percent").cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    return [cell.source for cell in code if tag in cell.metadata.get("tags", [])]


@pytest.fixture(scope="module", params=STAGES)
def lesson(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lesson]:
    script = site.folder / request.param / "tutorial/tutorial.py"
    module = ModuleType("tutorial")  # where pickle looks for classes
    source = script.read_text("utf-8")
    folder = tmp_path_factory.mktemp("lesson")
    for file in files_named(source, ROOT / "docs" / request.param):
        shutil.copy(file, folder)
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tutorial", module)
        yield Lesson(request.param, source, module)


def test_a_starter_is_told_what_is_missing(lesson: Lesson) -> None:
    assert len(lesson.said_at_first) == len(lesson.exercises) >= 3
    assert [line for line in lesson.said_at_first if not line.startswith("Not yet: ")] == []
    again = [lesson.judge(exercise, starter(exercise.cell)) for exercise in lesson.exercises]
    assert again == lesson.said_at_first


def test_a_wrong_answer_is_told_what_is_wrong(lesson: Lesson) -> None:
    answers = WRONG[lesson.stage]
    for number, answer, words in answers:
        exercise = lesson.exercises[number - 1]
        said = lesson.judge(exercise, exercise.with_answer(answer))
        assert said.startswith("Not yet: "), answer
        assert words in said, answer
    assert len(answers) >= 2


def test_a_solution_is_right_and_again_when_it_is_run_again(lesson: Lesson) -> None:
    for exercise in lesson.exercises:
        said = [lesson.judge(exercise, STARTER.sub("", exercise.cell)) for _ in range(2)]
        assert said == ["Right.", "Right."], exercise.cell


def test_another_right_answer_is_right(lesson: Lesson) -> None:
    for number, answer in ALSO_RIGHT.get(lesson.stage, []):
        exercise = lesson.exercises[number - 1]
        assert lesson.judge(exercise, exercise.with_answer(answer)) == "Right.", answer

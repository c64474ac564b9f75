"""The exercises: a check refuses the starter, says what is wrong, and passes the solution."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Literal, NamedTuple

import jupytext
import matplotlib.pyplot as plt
import pytest
from conftest import ROOT
from exercises import ALSO_RIGHT, WRONG
from test_tutorials import STAGES

sys.path.append(str(ROOT / "docs/_hooks"))

from execution import STARTER, solution, starter


class Exercise(NamedTuple):
    cell: str  # the reader's, as starter and solution in one
    check: str

    def with_answer(self, answer: str) -> str:
        return self.cell[: next(STARTER.finditer(self.cell)).start()] + answer


class Lesson:
    """A tutorial that was run up to its exercises."""

    def __init__(self, stage: str, module: ModuleType) -> None:
        self.stage, self.variables = stage, vars(module)
        self.exercises: list[Exercise] = []
        cell = ""
        source = (ROOT / f"docs/{stage}/tutorial.py").read_text(encoding="utf-8")
        for found in jupytext.reads(source, "py:percent").cells:
            tags = found.metadata.get("tags", [])
            if found.cell_type != "code" or found.source.startswith("# publish:"):
                continue  # what is published is for other pages
            if "solution" in tags:
                cell = found.source
            elif "check" in tags:
                self.exercises.append(Exercise(cell, found.source))
            else:
                self.run(found.source, "ignore" if "expect-warning" in tags else "error")

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


@pytest.fixture(scope="module", params=STAGES)
def lesson(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lesson]:
    module = ModuleType("tutorial")  # where pickle looks for classes
    with contextlib.chdir(tmp_path_factory.mktemp("lesson")), pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "tutorial", module)
        yield Lesson(request.param, module)


def test_a_starter_is_told_what_is_missing(lesson: Lesson) -> None:
    said = [lesson.judge(exercise, starter(exercise.cell)) for exercise in lesson.exercises]
    assert [line for line in said if not line.startswith("Not yet: ")] == []
    assert 3 <= len(said) <= 5


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
        said = [lesson.judge(exercise, solution(exercise.cell)) for _ in range(2)]
        assert said == ["Right.", "Right."], exercise.cell


def test_another_right_answer_is_right(lesson: Lesson) -> None:
    for number, answer in ALSO_RIGHT.get(lesson.stage, []):
        exercise = lesson.exercises[number - 1]
        assert lesson.judge(exercise, exercise.with_answer(answer)) == "Right.", answer

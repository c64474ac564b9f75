"""Experiments: runs that survive crashes, tables to compare them, a choice by validation."""

from __future__ import annotations

import fcntl
import json
import math
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from test_checkpoints import full_disk, unlockable
from torch import nn

from workflow import (
    Choice,
    DivergedError,
    Epoch,
    LinearRegressionModel,
    Result,
    _files,
    choose,
    compare,
    difference,
    fit,
    grid,
    make_line,
    plot_results,
    read_results,
    run,
    split,
)

TRAIN, TEST = split(*make_line(), shuffle=False)


def train(lr: float, seed: int) -> list[Epoch]:
    """A real experiment: the line with MSE, which diverges with a large lr."""
    model = LinearRegressionModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return fit(model, TRAIN, TEST, loss_fn=nn.MSELoss(), optimizer=optimizer, epochs=60)


def result(lr: float, seed: int, loss: float | None, **scores: float) -> Result:
    if loss is None:
        return Result({"lr": lr}, seed, {}, {}, "it diverged")
    return Result({"lr": lr}, seed, {"validation_loss": loss, **scores}, {}, None)


class Counted:
    """An experiment that knows how often it was run."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, int]] = []

    def __call__(self, lr: float, seed: int) -> dict[str, float]:
        self.calls.append((lr, seed))
        return {"validation_loss": lr + seed}


# grid


def test_a_grid_is_every_combination_and_the_last_axis_changes_fastest() -> None:
    assert grid(lr=iter([0.1, 0.2]), hidden=((4,), (8, 8))) == [
        {"lr": 0.1, "hidden": (4,)},
        {"lr": 0.1, "hidden": (8, 8)},
        {"lr": 0.2, "hidden": (4,)},
        {"lr": 0.2, "hidden": (8, 8)},
    ]
    assert grid() == [{}]


@pytest.mark.parametrize(("value", "shown"), [(0.1, "0.1"), ("adam", "'adam'")])
def test_an_axis_of_one_value_is_refused(value: Any, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        grid(lr=[0.1], axis=value)
    assert (
        str(caught.value)
        == f"axis is {shown}; expected a list of values to try, such as [{shown}]."
    )


def test_an_axis_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lr has no value; expected at least one, or leave it"):
        grid(lr=[])


# run


def test_runs_are_seeded_before_and_come_in_the_order_of_configurations_and_seeds() -> None:
    drawn = []

    def experiment(lr: float, seed: int) -> dict[str, float]:
        drawn.append((lr, seed, torch.rand(1).item()))
        return {"validation_loss": lr}

    results = run(experiment, iter(grid(lr=[0.2, 0.1])), seeds=range(2))
    expected = [torch.rand(1, generator=torch.Generator().manual_seed(s)).item() for s in (0, 1)]
    assert drawn == [(lr, seed, expected[seed]) for lr in (0.2, 0.1) for seed in (0, 1)]
    assert [(r.config["lr"], r.seed) for r in results] == [(0.2, 0), (0.2, 1), (0.1, 0), (0.1, 1)]


def test_a_history_becomes_final_scores_and_curves() -> None:
    (found,) = run(train, grid(lr=[0.1]), seeds=[0])
    torch.manual_seed(0)
    history = train(0.1, 0)
    assert found.scores == {
        "validation_loss": history[-1].validation_loss,
        "train_loss": history[-1].train_loss,
    }
    assert found.curves == {
        "train_loss": [epoch.train_loss for epoch in history],
        "validation_loss": [epoch.validation_loss for epoch in history],
    }
    assert found.failed is None


def test_a_history_without_validation_has_one_curve_and_keeps_its_metrics() -> None:
    history = [Epoch(0, 0.5, None, {"mae": 0.4}, 0.1)]
    (found,) = run(lambda seed: history, [{}], seeds=[0])
    assert found.scores == {"train_loss": 0.5, "mae": 0.4}
    assert found.curves == {"train_loss": [0.5]}


def test_results_are_read_back_as_they_were_returned(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.jsonl"
    results = run(train, grid(lr=[0.1, 10.0]), seeds=[0, 1], path=path)
    assert read_results(path) == results
    assert [json.loads(line)["seed"] for line in path.read_text().splitlines()] == [0, 1, 0, 1]


def test_the_same_call_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    run(experiment, grid(lr=[1]), seeds=[0, 1], path=path)
    results = run(experiment, grid(lr=[1, 2]), seeds=[0, 1, 2], path=path)
    assert experiment.calls == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert [r.scores["validation_loss"] for r in results] == [1, 2, 3, 2, 3, 4]
    assert sorted(read_results(path), key=lambda r: (r.config["lr"], r.seed)) == results


def test_a_crash_loses_only_the_run_in_progress(tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()

    def crashes(lr: float, seed: int) -> dict[str, float]:
        if seed == 2:
            raise KeyboardInterrupt
        return experiment(lr, seed)

    with pytest.raises(KeyboardInterrupt):
        run(crashes, grid(lr=[1]), path=path, version="1")
    run(experiment, grid(lr=[1]), path=path, version="1")
    assert experiment.calls == [(1, 0), (1, 1), (1, 2)]


def test_a_run_that_diverges_is_a_failed_result(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    (found,) = run(train, grid(lr=[10.0]), seeds=[0], path=path)
    assert found.scores == {}
    assert found.failed is not None
    assert "Try a smaller lr" in found.failed
    torch.manual_seed(0)
    with pytest.raises(DivergedError) as caught:
        train(10.0, 0)
    assert found.curves["train_loss"] == [epoch.train_loss for epoch in caught.value.history]
    assert run(train, grid(lr=[10.0]), seeds=[0], path=path) == [found]
    assert len(path.read_text().splitlines()) == 1  # and is not run again


def test_a_run_that_diverges_at_once_has_no_curves() -> None:
    def experiment(seed: int) -> list[Epoch]:
        raise DivergedError("a loss became nan", [])

    (found,) = run(experiment, [{}], seeds=[0], version="1")
    assert found == Result({}, 0, {}, {}, "a loss became nan", "1")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_a_failed_result(score: float, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    scores = {"mae": 0.1, "validation_loss": score}
    (found,) = run(lambda seed: scores, [{}], seeds=[0], path=path)
    assert (found.scores, found.failed) == ({}, f"validation_loss is {score}")
    assert read_results(path) == [found]


def test_scores_may_be_tensors_of_one_number(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    scores: dict[str, Any] = {"validation_loss": torch.tensor(0.5)}
    run(lambda seed: scores, [{}], seeds=[0], path=path)
    assert read_results(path)[0].scores == {"validation_loss": 0.5}


def test_no_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="seeds is empty; expected at least one, better three"):
        run(train, grid(lr=[0.1]), seeds=[])


@pytest.mark.parametrize("outcome", [{}, [], None, 0.5, [0.5, 0.4]])
def test_an_experiment_without_scores_is_refused(outcome: Any) -> None:
    words = (
        r"returned no scores for \{'lr': 0.1\} but .*; expected what fit returned, or a dictionary"
    )
    with pytest.raises(ValueError, match=words):
        run(lambda lr, seed: outcome, grid(lr=[0.1]))


def test_numbers_of_numpy_and_torch_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    configs = grid(
        hidden=np.array([16, 64]),
        lr=[np.float64(0.1)],
        layers=[[np.int64(8), 8]],
        depth=torch.tensor([2]),
    )
    configs += [{"hidden": torch.tensor(4)}]
    kinds = []

    def experiment(seed: int, **config: Any) -> dict[str, float]:
        kinds.append((type(seed), *map(type, config.values())))
        return {"validation_loss": 0.5}

    results = run(experiment, configs, seeds=np.arange(2), path=path)
    assert read_results(path) == results
    assert results[2].config == {"hidden": 64, "lr": 0.1, "layers": [8, 8], "depth": 2}
    assert kinds == [(int, int, float, list, int)] * 4 + [(int, int)] * 2
    run(experiment, grid(hidden=[16], lr=[0.1], layers=[[8, 8]], depth=[2]), seeds=[1], path=path)
    assert len(kinds) == 6


@pytest.mark.parametrize("seed", [0.5, "0", True, None])
def test_a_seed_that_is_no_whole_number_is_refused_before_any_run(seed: Any) -> None:
    experiment = Counted()
    with pytest.raises(TypeError, match=rf"seed is {seed!r} .*; expected a whole number"):
        run(experiment, grid(lr=[1]), seeds=[0, seed])
    assert experiment.calls == []


def test_what_is_no_list_of_configurations_is_refused() -> None:
    configs: Any = {"lr": 0.1}
    words = r"configs holds 'lr' \(str\); expected a list of dictionaries, as grid makes"
    with pytest.raises(TypeError, match=words):
        run(Counted(), configs)


def test_a_seed_among_the_settings_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"\{'lr': 1, 'seed': 2\} has a seed; expected the seeds ap"
    ):
        run(Counted(), [{"lr": 1, "seed": 2}])


def test_a_run_that_is_asked_for_twice_is_done_once() -> None:
    experiment = Counted()
    results = run(experiment, [{"lr": 1}, {"lr": 1}], seeds=[0, 0])
    assert (experiment.calls, len(results)) == ([(1, 0)], 4)


def test_tuples_come_back_as_tuples_from_the_file_too(tmp_path: Path) -> None:
    configs = grid(hidden=[(8, 8)])
    for _ in range(2):
        results = run(lambda hidden, seed: {"mae": 0.1}, configs, path=tmp_path / "r.jsonl")
        assert configs.index(choose(results, by="mae").config) == 0


@pytest.mark.parametrize(
    "value", [torch.optim.SGD, math.nan, torch.zeros(2)], ids=["class", "NaN", "tensor"]
)
def test_a_configuration_that_json_cannot_hold_is_refused_before_any_run(value: Any) -> None:
    experiment = Counted()
    with pytest.raises(TypeError, match=r"can't be kept as JSON .* Name things instead"):
        run(experiment, grid(lr=[1, value]))
    assert experiment.calls == []


# The file of results


def test_a_line_cut_short_is_closed_warned_of_and_run_again(tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    run(experiment, grid(lr=[1]), seeds=[0, 1], path=path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(UserWarning, match=r"results\.jsonl, line 2 is not whole; it is left out"):
        run(experiment, grid(lr=[1]), seeds=[0, 1], path=path)
    assert experiment.calls == [(1, 0), (1, 1), (1, 1)]
    with pytest.warns(UserWarning, match="line 2 is not whole"):
        assert [r.seed for r in read_results(path)] == [0, 1]
    assert len(path.read_text().splitlines()) == 3


def test_empty_lines_do_not_matter_and_the_latest_result_counts(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    lines = [json.dumps(result(0.1, 0, loss)._asdict()) for loss in (0.5, 0.4)]
    path.write_text("\n" + "\n\n".join(lines) + "\n")
    assert read_results(path) == [result(0.1, 0, 0.4)]


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe{}", b"\x00" * 40, b"[" * 100_000, b'{"config": {}'], ids=repr
)
def test_a_damaged_line_is_warned_of_and_the_others_are_kept(damage: bytes, tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    results = run(experiment, grid(lr=[1]), seeds=[0, 1], path=path)
    first, second = path.read_bytes().splitlines()
    path.write_bytes(first + b"\r\n" + damage + b"\n" + second)
    with pytest.warns(UserWarning, match=r"results\.jsonl, line 2 is not whole; it is left out"):
        assert read_results(path) == results
    with pytest.warns(UserWarning, match="line 2 is not whole"):
        assert run(experiment, grid(lr=[1]), seeds=[0, 1], path=path) == results
    assert len(experiment.calls) == 2


FIELDS = {"config": {}, "seed": 1, "scores": {}, "curves": {}, "failed": None}


@pytest.mark.parametrize(
    "line",
    [
        [1, 2],
        7,
        {"config": {}, "seed": 1},
        FIELDS | {"more": 1},
        FIELDS | {"config": [1]},
        FIELDS | {"config": {"lr": math.nan}},
        FIELDS | {"seed": "1"},
        FIELDS | {"scores": {"mae": "low"}},
        FIELDS | {"scores": {"mae": math.nan}},
        FIELDS | {"scores": 3},
    ],
    ids=str,
)
def test_json_that_is_no_result_is_refused(line: Any, tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match=r"other\.jsonl, line 1 is no result; expected the fields"):
        read_results(path)


def test_a_missing_file_of_results_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.jsonl"):
        read_results(tmp_path / "none.jsonl")


def test_a_file_of_results_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"results\.jsonl was not written"):
        run(Counted(), grid(lr=[1]), path=tmp_path / "file" / "results.jsonl")


# Results count for the code they came from


def test_the_fingerprint_is_of_the_code_and_the_same_in_each_process(tmp_path: Path) -> None:
    source = """
def experiment(seed):
    return {"mae": seed if "a" in {"a", "b", "c"} else 1}
"""
    (tmp_path / "one.py").write_text(source)
    (tmp_path / "commented.py").write_text("# Now\n" + source.replace("{", "{  # new\n", 1))
    (tmp_path / "edited.py").write_text(source.replace('"c"', '"d"'))
    script = "import one, commented, edited; from workflow import run\n"
    script += "for module in (one, commented, edited):\n"
    script += "    print(run(module.experiment, [{}], seeds=[0])[0].version)"
    printed = set()
    for seed in "01":  # texts are hashed, and sets of them ordered, in another way
        environment = os.environ | {"PYTHONHASHSEED": seed}
        printed.add(
            subprocess.check_output(
                [sys.executable, "-c", script], cwd=tmp_path, env=environment, text=True
            )
        )
    ((one, commented, edited),) = map(str.split, printed)
    assert one == commented != edited


EXPERIMENT = """
import functools, math, torch
from workflow import fit
RATE, LAYERS, model, done = 0.1, (8, 8), torch.nn.Linear(1, 1), 0
class Base:
    width = 1
    @staticmethod
    def start(): return 2
class Net(Base):
    @property
    def size(self): return 3
    def method(self): return 4
def outer(scale):
    def inner(x=5, *, y=6): return scale * x * y + RATE
    return inner
inner = outer(7)
@functools.cache
def cached(): return 8
def unused(): return 9
def experiment(seed, factor=10):
    global done
    done += 1
    parts = [Net().method() + len(LAYERS) for _ in range(11)]
    return {"mae": float(inner() + cached() + sum(parts) + math.pi * factor)}
"""
EDITS = {
    "itself": ("range(11)", "range(12)"),
    "a default": ("factor=10", "factor=0"),
    "a constant": ("RATE, LAYERS, model, done = 0.1", "RATE, LAYERS, model, done = 0.2"),
    "constants": ("(8, 8)", "(8, 9)"),
    "a method": ("return 4", "return 0"),
    "a property": ("return 3", "return 0"),
    "a base": ("width = 1", "width = 0"),
    "a static method": ("return 2", "return 0"),
    "an argument": ("x=5", "x=0"),
    "a keyword": ("y=6", "y=0"),
    "a closure": ("outer(7)", "outer(0)"),
    "a wrapped function": ("return 8", "return 0"),
}


def version_of(source: str, name: str = "experiment") -> str:
    names: dict[str, Any] = {"__name__": "mine"}
    exec(source, names)
    run(names[name], [{}], seeds=[0])
    return run(names[name], [{}], seeds=[0])[0].version


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_of_what_the_experiment_uses_is_another_version(edit: tuple[str, str]) -> None:
    assert EXPERIMENT.count(edit[0]) == 1
    assert version_of(EXPERIMENT) != version_of(EXPERIMENT.replace(*edit))


@pytest.mark.parametrize(
    "edit", [("return 9", "return 0"), ("Linear(1, 1)", "Linear(2, 1)"), (", 0\n", ", 3\n")]
)
def test_an_edit_of_something_else_is_not(edit: tuple[str, str]) -> None:
    assert EXPERIMENT.count(edit[0]) == 1
    assert version_of(EXPERIMENT) == version_of(EXPERIMENT.replace(*edit))


CALLABLES = """
import functools
class Experiment:
    def __call__(self, seed): return self.score()
    def score(self): return {"mae": 1}
    def lower(self, seed): return self.score()
    @classmethod
    def of_class(cls, seed): return {"mae": 2}
def several(rate, seed, scale): return {"mae": rate * scale}
def late(seed):
    def inner(): return later
    later = {"mae": 4}
    return inner()
an_object, a_method, of_class = Experiment(), Experiment().lower, Experiment.of_class
partial = functools.partial(several, 3, scale=5)
"""


@pytest.mark.parametrize(
    ("name", "number"),
    [("an_object", 1), ("of_class", 2), ("partial", 3), ("partial", 5), ("late", 4)],
)
def test_experiments_of_all_kinds_have_a_version(name: str, number: int) -> None:
    changed = re.sub(rf"(?<=[ (=]){number}\b", "0", CALLABLES)
    assert changed != CALLABLES
    assert version_of(CALLABLES, name) == version_of(
        CALLABLES.replace("import f", "\nimport f"), name
    )
    assert version_of(CALLABLES, name) != version_of(changed, name)


def test_an_edited_experiment_is_run_again_and_the_old_results_are_said_to_be_skipped(
    tmp_path: Path,
) -> None:
    path = tmp_path / "results.jsonl"
    old = run(lambda lr, seed: {"mae": 1}, grid(lr=[1, 2]), seeds=[0, 1], path=path)

    def edited(lr: float, seed: int) -> dict[str, float]:
        return {"mae": 999}

    words = (
        r"results\.jsonl holds 2 of these runs by another version of the experiment.*; they are "
        rf"skipped, and run again\. .* run\(…, version='{old[0].version}'\)"
    )
    with pytest.warns(UserWarning, match=words):
        new = run(edited, grid(lr=[2, 3]), seeds=[0, 1], path=path)
    assert [r.scores["mae"] for r in new] == [999] * 4
    assert run(edited, grid(lr=[2, 3]), seeds=[0, 1], path=path) == new  # without a warning
    with pytest.warns(UserWarning, match=r"holds results of 2 versions of the experiment \(\['"):
        assert read_results(path) == [*old[:2], *new]


def test_a_version_of_ones_own_counts_in_place_of_the_code(tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    run(lambda lr, seed: {"validation_loss": 7.0}, grid(lr=[1]), path=path, version="new data")
    assert run(experiment, grid(lr=[1]), path=path, version="new data")[0].version == "new data"
    assert experiment.calls == []


def test_results_written_before_there_were_versions_can_be_used(tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    path.write_text(json.dumps(FIELDS | {"config": {"lr": 3}, "scores": {"mae": 0.5}}) + "\n")
    with pytest.warns(UserWarning, match=r"holds 1 of these runs .* version=''"):
        run(experiment, grid(lr=[3]), seeds=[1], path=path)
    assert run(experiment, grid(lr=[3]), seeds=[1], path=path, version="")[0].scores == {"mae": 0.5}


# Processes that share the file

WRITER = """
import os, sys, time
from pathlib import Path
from workflow import run
path, me, other = map(Path, sys.argv[1:])
def experiment(number, note, seed):
    return {"validation_loss": 0.5, "writer": me.name == "a"}
me.touch()
while not other.exists():
    time.sleep(0.001)
configs = [{"number": n, "note": "x" * 6000} for n in range(100)]
assert len(run(experiment, configs, seeds=[0, 1], path=path)) == 200
"""


def test_two_processes_share_the_runs_and_do_none_twice(tmp_path: Path) -> None:
    path, a, b = tmp_path / "results.jsonl", tmp_path / "a", tmp_path / "b"
    orders = [(path, a, b), (path, b, a)]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, *map(str, o)]) for o in orders]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(path.read_bytes().splitlines()) == 200
    results = read_results(path)
    names = {(r.config["number"], r.seed) for r in results}
    assert names == {(number, seed) for number in range(100) for seed in range(2)}
    assert {r.scores["writer"] for r in results} == {0, 1}, "one process did them all"


HOLDER = """
import sys, time
from pathlib import Path
from workflow import run
path, go = map(Path, sys.argv[1:])
def experiment(lr, seed):
    if seed == 1:
        print("claimed", flush=True)
        while not go.exists():
            time.sleep(0.001)
    return {"validation_loss": 0.25}
run(experiment, [{"lr": 1}], seeds=[0, 1], path=path, version="1")
"""


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "done"])
def test_a_run_that_another_process_does_is_waited_for(killed: bool, tmp_path: Path) -> None:
    path, go, experiment = tmp_path / "results.jsonl", tmp_path / "go", Counted()
    command = [sys.executable, "-c", HOLDER, str(path), str(go)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"claimed\n"
        end = threading.Timer(0.5, holder.kill if killed else go.touch)
        end.start()
        results = run(experiment, grid(lr=[1]), seeds=[0, 1, 2], path=path, version="1")
        assert holder.wait() == (-signal.SIGKILL if killed else 0)
    # First it does what nobody claimed, then what is left.
    assert experiment.calls == ([(1, 2), (1, 1)] if killed else [(1, 2)])
    assert [r.scores["validation_loss"] for r in results] == [0.25, 2 if killed else 0.25, 3]


def test_a_claim_is_given_back_when_the_experiment_fails(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"

    def fails(lr: float, seed: int) -> dict[str, float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fails, grid(lr=[1]), seeds=[1], path=path, version="1")
    command = [sys.executable, "-c", HOLDER, str(path), str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)
    assert [r.seed for r in read_results(path)] == [0, 1]


@pytest.mark.parametrize("without", ["locks", "fcntl"])
def test_where_nothing_can_be_locked_runs_are_done_all_the_same(
    without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without == "fcntl":
        monkeypatch.setattr(_files, "fcntl", None)
    else:
        monkeypatch.setattr(fcntl, "lockf", unlockable)
    path, experiment = tmp_path / "results.jsonl", Counted()
    results = run(experiment, grid(lr=[1]), seeds=[0, 1], path=path)
    assert read_results(path) == results
    assert experiment.calls == [(1, 0), (1, 1)]


@pytest.mark.parametrize("room", [0, 10], ids=["full", "almost full"])
def test_a_full_disk_is_said_and_keeps_the_lines_before(room: int, tmp_path: Path) -> None:
    path, experiment = tmp_path / "results.jsonl", Counted()
    first = run(experiment, grid(lr=[1]), seeds=[0], path=path)
    room += path.stat().st_size
    with full_disk(room), pytest.raises(OSError, match=r"results\.jsonl was not written .* room"):
        run(experiment, grid(lr=[1]), seeds=[1], path=path)
    assert path.stat().st_size == room
    path.write_bytes(path.read_bytes() + b"{")  # whatever fitted, it is no whole line
    with pytest.warns(UserWarning, match="line 2 is not whole"):
        assert read_results(path) == first


# Comparing and choosing

RESULTS = [
    result(0.1, 0, 0.50, accuracy=0.9, test_loss=0.1),
    result(0.1, 1, 0.70, accuracy=0.7, test_loss=0.1),
    result(0.01, 0, 0.25, accuracy=0.5),
    result(1.0, 0, 0.01, accuracy=1.0),
    result(1.0, 1, None),
    result(10.0, 0, None),
]


def test_the_table_is_best_first_failed_last_and_shows_no_test_score() -> None:
    assert (
        compare(RESULTS)
        == """\
lr    validation_loss  difference ± SE  verdict    accuracy  runs  failed
0.01           0.2500                   best         0.5000     1       0
0.1            0.6000            +0.25  undecided    0.8000     2       0
1.0           0.01000            -0.24  failed        1.000     2       1
10.0           failed                   failed       failed     1       1"""
    )


def test_the_table_in_markdown_sorted_by_the_largest() -> None:
    assert (
        compare(RESULTS, by="accuracy", markdown=True)
        == """\
| lr | accuracy | difference ± SE | verdict | validation_loss | runs | failed |
| --- | ---: | ---: | --- | ---: | ---: | ---: |
| 0.1 | 0.8000 |  | best | 0.6000 | 2 | 0 |
| 0.01 | 0.5000 | -0.4 | undecided | 0.2500 | 1 | 0 |
| 1.0 | 1.000 | +0.1 | failed | 0.01000 | 2 | 1 |
| 10.0 | failed |  | failed | failed | 1 | 1 |"""
    )


def test_configurations_with_other_settings_share_a_table() -> None:
    results = [
        Result({"lr": 0.1}, 0, {"validation_loss": 2.0}, {}, None),
        Result({"hidden": [8, 8]}, 1, {"validation_loss": 1.0, "mae": 3.0}, {}, None),
    ]
    assert (
        compare(results)
        == """\
lr   hidden  validation_loss  difference ± SE  verdict      mae  runs  failed
     [8, 8]            1.000                   best       3.000     1       0
0.1                    2.000                   undecided      –     1       0"""
    )


def test_the_choice_is_the_best_mean_and_one_that_failed_comes_last() -> None:
    assert choose(RESULTS) == Choice({"lr": 0.01}, [{"lr": 0.1}])
    assert choose(RESULTS, by="accuracy") == Choice({"lr": 0.1}, [{"lr": 0.01}])
    assert choose(RESULTS[3:]) == Choice({"lr": 1.0}, [])


def test_where_every_configuration_failed_once_they_are_compared() -> None:
    results = [result(lr, seed, None if seed == 0 else lr) for lr in (2, 1) for seed in range(3)]
    assert choose(results) == Choice({"lr": 1}, [{"lr": 2}])


def test_the_last_of_two_results_for_one_seed_counts() -> None:
    results = [result(0.1, 0, 0.9), result(0.1, 1, 0.2), result(0.1, 0, 0.3)]
    assert compare(results).splitlines()[1].split() == ["0.1", "0.2500", "best", "2", "0"]


# What is best, and what is a test score


@pytest.mark.parametrize(
    ("by", "best"),
    [("validation_accuracy", 0.9), ("r2_score", 0.9), ("MAE", 0.1), ("latest_loss", 0.1)],
)
def test_the_name_of_a_score_says_which_is_best(by: str, best: float) -> None:
    results = run(lambda value, seed: {by: value}, grid(value=[0.9, 0.1, 0.5]))
    assert choose(results, by=by).config == {"value": best}
    assert compare(results, by=by).splitlines()[1].startswith(str(best))


def test_a_name_that_does_not_say_which_is_best_is_not_guessed() -> None:
    results = run(lambda value, seed: {"reward": value}, grid(value=[0.9, 0.1]))
    words = r"by is 'reward', and the name doesn't say .*; expected largest=True, or largest=False"
    for function in (choose, compare):
        with pytest.raises(ValueError, match=words):
            function(results, by="reward")
    assert choose(results, by="reward", largest=True).config == {"value": 0.9}
    assert choose(results, by="reward", largest=False).config == {"value": 0.1}


def test_the_plot_has_the_best_on_top_too() -> None:
    results = run(lambda value, seed: {"accuracy": value}, grid(value=[0.1, 0.9, 0.5]), seeds=[0])
    labels = [label.get_text() for label in plot_results(results, by="accuracy").get_yticklabels()]
    assert labels == ["value=0.1", "value=0.5", "value=0.9"]
    plt.close()


TEST_SCORES = ["test_loss", "testloss", "TestAcc", "TEST LOSS", "lossTest", "mae.test", "2test"]


@pytest.mark.parametrize("by", TEST_SCORES)
def test_nothing_is_chosen_by_a_test_score(by: str) -> None:
    results = [Result({"lr": 0.1}, 0, {by: 0.1, "validation_loss": 0.2}, {}, None)]
    words = rf"by is '{by}'; expected a validation score.* once, at the end\. If it is no test"
    for function in (choose, compare):
        with pytest.raises(ValueError, match=words):
            function(results, by=by, largest=False)
    with pytest.raises(ValueError, match=words):
        difference(results, {"lr": 0.1}, {"lr": 0.1}, by=by)
    assert by not in compare(results)


@pytest.mark.parametrize("by", ["latest_loss", "contest_loss", "fastestLoss"])
def test_a_validation_score_may_have_test_in_a_word(by: str) -> None:
    results = run(lambda lr, seed: {by: lr}, grid(lr=[2.0, 1.0]), seeds=[0])
    assert choose(results, by=by, largest=False).config == {"lr": 1.0}


@pytest.mark.parametrize("function", [choose, compare])
def test_a_score_that_no_run_has_is_refused_with_those_there_are(
    function: Callable[..., object],
) -> None:
    words = r"by is 'mae', which no run has; expected one of \['accuracy', 'test_loss', 'vali"
    with pytest.raises(ValueError, match=words):
        function(RESULTS, by="mae")


# How sure a comparison is


def race(luck: random.Random, means: Sequence[float], seeds: int) -> list[Result]:
    """Settings of known means, whose runs share the luck of their seed and have some of their own.

    A run of one setting scatters by one SD around its mean.
    """
    shared = [luck.gauss(0, math.sqrt(0.5)) for _ in range(seeds)]
    return [
        result(lr, seed, mean + shared[seed] + luck.gauss(0, math.sqrt(0.5)))
        for lr, mean in enumerate(means)
        for seed in range(seeds)
    ]


def test_the_difference_is_what_three_lines_by_hand_say() -> None:
    results = race(random.Random(1), [0.0, 2.0], seeds=10)
    scores, other_scores = (
        [r.scores["validation_loss"] for r in results[i:][:10]] for i in (0, 10)
    )
    differences = [b - a for a, b in zip(scores, other_scores, strict=True)]
    mean = statistics.fmean(differences)
    standard_error = statistics.stdev(differences) / math.sqrt(len(differences))

    found = difference(results, {"lr": 0}, {"lr": 1})
    assert found[:3] == (mean, standard_error, 10)
    assert found.decided
    row = compare(results).splitlines()[2]
    assert f"{mean:+.3g} ± {standard_error:.2g}  worse" in row


@pytest.mark.parametrize(
    ("seeds", "limit"),  # Student's t, two-sided 5 %, from any table
    [(2, 12.706), (3, 4.303), (4, 3.182), (5, 2.776), (10, 2.262), (30, 2.045), (1001, 1.962)],
)
def test_the_limit_is_students_t(seeds: int, limit: float) -> None:
    results = race(random.Random(0), [0, 0], seeds)
    assert difference(results, {"lr": 0}, {"lr": 1}).limit == pytest.approx(limit, abs=6e-4)


def test_the_5_percent_are_shared_among_all_pairs() -> None:
    results = race(random.Random(0), [0, 0, 0, 0], seeds=10)
    limit = 3.3642  # two-sided 5 % / 6, nine degrees of freedom
    assert difference(results, {"lr": 0}, {"lr": 3}).limit == pytest.approx(limit, abs=1e-4)


def claimed(races: int, settings: int, seeds: int) -> float:
    """The share of races between equal settings in which some are called worse than the best."""
    luck = random.Random(0)
    undecided = [choose(race(luck, [0.0] * settings, seeds)).undecided for _ in range(races)]
    return sum(len(equals) < settings - 1 for equals in undecided) / races


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_between_two_equal_settings_an_effect_is_claimed_in_5_percent(seeds: int) -> None:
    assert claimed(2000, 2, seeds) == pytest.approx(0.05, abs=0.015)  # 3 standard errors


@pytest.mark.parametrize(("settings", "seeds"), [(4, 3), (4, 10), (8, 5)])
def test_between_several_equal_settings_it_is_claimed_in_no_more(settings: int, seeds: int) -> None:
    assert 0.01 < claimed(1000, settings, seeds) < 0.05


def test_among_four_a_real_gap_is_found_with_a_hundred_seeds() -> None:
    luck = random.Random(0)
    choices = [choose(race(luck, [0.7, 0.0, 0.7, 0.7], seeds=100)) for _ in range(100)]
    assert sum(choice == Choice({"lr": 1}, []) for choice in choices) >= 98
    choices = [choose(race(luck, [0.7, 0.0], seeds=100)) for _ in range(100)]
    assert all(choice == Choice({"lr": 1}, []) for choice in choices)


def test_equal_scores_of_few_examples_do_not_pass_for_certainty() -> None:
    """Accuracies on 20 examples are often the same distance apart, by luck, on all of few seeds."""
    luck = random.Random(0)

    def right() -> float:
        return sum(luck.random() < 0.9 for _ in range(20)) / 20

    decided = 0
    for _ in range(2000):
        results = [
            Result({"lr": lr}, seed, {"accuracy": right()}, {}, None)
            for lr in (1, 2)
            for seed in range(2)
        ]
        decided += not choose(results, by="accuracy").undecided
    assert decided / 2000 < 0.05


@pytest.mark.parametrize(("seeds", "decided"), [(2, False), (5, False), (6, True), (9, True)])
def test_differences_all_the_same_decide_from_six_seeds_on(seeds: int, decided: bool) -> None:
    results = [result(lr, seed, lr + seed / 10) for lr in (0.1, 0.2) for seed in range(seeds)]
    found = difference(results, {"lr": 0.1}, {"lr": 0.2})
    assert found.mean == pytest.approx(0.1)
    assert (found.standard_error, found.decided) == (0, decided)
    assert choose(results) == Choice({"lr": 0.1}, [] if decided else [{"lr": 0.2}])


def test_equal_settings_stay_undecided_however_many_seeds() -> None:
    results = [result(lr, seed, seed) for lr in (1, 2) for seed in range(50)]
    assert choose(results).undecided == [{"lr": 2}]


def test_one_seed_decides_nothing() -> None:
    found = difference([result(1, 0, 1.0), result(2, 0, 99.0)], {"lr": 1}, {"lr": 2})
    assert (found.mean, found.seeds, found.limit, found.decided) == (98, 1, math.inf, False)
    assert math.isnan(found.standard_error)


def test_only_seeds_that_both_ran_are_compared() -> None:
    results = [result(1, seed, seed) for seed in (0, 1, 2)]
    results += [result(2, seed, 2 * seed) for seed in (1, 2, 9)]
    assert difference(results, {"lr": 1}, {"lr": 2})[:3] == (1.5, 0.5, 2)
    with pytest.raises(
        ValueError, match=r"\{'lr': 1\} and \{'lr': 3\} have no seed in common with"
    ):
        difference(results, {"lr": 1}, {"lr": 3})


def test_what_is_better_on_the_common_seeds_is_not_called_worse() -> None:
    """The first has the better mean only because it ran on easier seeds as well."""
    results = [result(1, seed, 5 + seed / 100) for seed in range(9)]
    results += [result(1, seed, 0.0) for seed in range(9, 50)]
    results += [result(2, seed, 4 + seed / 90) for seed in range(9)]
    found = difference(results, {"lr": 1}, {"lr": 2})
    assert found.mean < 0
    assert found.decided
    assert choose(results) == Choice({"lr": 1}, [{"lr": 2}])

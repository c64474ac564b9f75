"""Stage 5: run variations over several seeds, keep what came out, compare, choose."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow import _files, _tables
from workflow._results import Config, Result, is_test, key, ranked, read_results
from workflow.runtime import seed_everything
from workflow.training import DivergedError, Epoch

Experiment = Callable[..., Mapping[str, float] | Sequence[Epoch]]


def grid(**axes: Iterable[Any]) -> list[Config]:
    """Combine every value of each axis with every value of the others.

    Args:
        axes: The values to try, by name; the last one changes fastest.

    Returns:
        One dictionary a combination.

    Raises:
        TypeError: An axis is one value, or a text, not a list of values.
        ValueError: An axis is empty.

    Examples:
        >>> grid(lr=[0.1, 0.01], epochs=[100])
        [{'lr': 0.1, 'epochs': 100}, {'lr': 0.01, 'epochs': 100}]
    """
    for name, values in axes.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(
                f"{name} is {values!r}; expected a list of values to try, such as [{values!r}]."
            )
    lists = {name: list(values) for name, values in axes.items()}
    for name, values in lists.items():
        if not values:
            raise ValueError(f"{name} has no value; expected at least one, or leave it out.")
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


def run(
    experiment: Experiment,
    configs: Iterable[Config],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    path: str | Path | None = None,
) -> list[Result]:
    """Run an experiment once for each configuration and seed.

    Each result is a line of JSON, written when its run ends: a crash loses the run in progress
    and no other, and the same call goes on where it stopped. Two processes may share the file.
    A run that diverges is a result too, a failed one.

    Args:
        experiment: Called as `experiment(**config, seed=seed)`, with everything seeded before;
            returns scores by name, or what `fit` returned, of which the last epoch counts: with
            `patience`, return `evaluate(…)` of the weights that were put back.
        configs: What to try, from [grid][workflow.grid] or by hand; values that JSON can hold.
        seeds: One run each; a single seed can't tell luck from effect.
        path: The file of results. None: they are only returned.

    Returns:
        The results in the order of `configs` and `seeds`, those found in the file included.

    Raises:
        TypeError: A configuration holds what JSON can't.
        ValueError: There are no seeds, or an experiment returned no scores.

    Examples:
        >>> def miss(guess, seed):
        ...     return {"validation_loss": abs(guess - 0.7)}
        >>> [r.config for r in run(miss, grid(guess=[0.5, 1.0]), seeds=[0])]
        [{'guess': 0.5}, {'guess': 1.0}]
    """
    if not seeds:
        raise ValueError("seeds is empty; expected at least one, better three or more.")
    file = None if path is None else Path(path)
    found = read_results(file) if file is not None and file.exists() else []
    done = {(key(result.config), result.seed): result for result in found}
    named = [(key(config), config) for config in configs]  # one that JSON can't hold shows here
    results = []
    for (text, config), seed in itertools.product(named, seeds):
        name = text, seed
        if name not in done:
            done[name] = _run_once(experiment, config, seed)
            if file is not None:
                _files.append(file, json.dumps(done[name]._asdict(), allow_nan=False))
        results.append(done[name])
    return results


def compare(
    results: Sequence[Result],
    *,
    by: str = "validation_loss",
    largest: bool = False,
    markdown: bool = False,
) -> str:
    """Set the configurations side by side, best first: mean ± standard deviation over seeds.

    Scores with "test" in their name are left out: what is seen is soon chosen by.

    Args:
        results: From [run][workflow.run].
        by: The score to sort by.
        largest: The largest is best, as for an accuracy.
        markdown: A Markdown table instead of aligned text.

    Returns:
        The table.

    Raises:
        ValueError: `by` is a test score, or no run has it.

    Examples:
        >>> results = run(lambda lr, seed: {"validation_loss": lr + seed / 100}, grid(lr=[2, 1]))
        >>> print(compare(results))
        lr  validation_loss  runs  failed
        1      1.010 ± 0.01     3       0
        2      2.010 ± 0.01     3       0
    """
    groups = ranked(results, by=by, largest=largest)
    axes = list(dict.fromkeys(name for result in results for name in result.config))
    scores = dict.fromkeys(name for result in results for name in result.scores)
    shown = [by, *(name for name in scores if name != by and not is_test(name))]
    rows = [[*axes, *shown, "runs", "failed"]]
    for group in groups:
        failed = sum(result.failed is not None for result in group)
        settings = [str(group[0].config.get(axis, "")) for axis in axes]
        missing = "failed" if failed == len(group) else "–"
        numbers = [
            _spread([r.scores[name] for r in group if name in r.scores]) or missing
            for name in shown
        ]
        rows.append([*settings, *numbers, str(len(group)), str(failed)])
    table = _tables.as_markdown if markdown else _tables.as_text
    return table(rows, numeric=range(len(axes), len(rows[0])))


def choose(
    results: Sequence[Result], *, by: str = "validation_loss", largest: bool = False
) -> Config:
    """Choose the configuration with the best mean over its seeds, by validation, never by test.

    Args:
        results: From [run][workflow.run].
        by: The score to choose by.
        largest: The largest is best, as for an accuracy.

    Returns:
        The configuration; one with a failed run is chosen last.

    Raises:
        ValueError: `by` is a test score, or no run has it.

    Examples:
        >>> choose(run(lambda lr, seed: {"validation_loss": lr}, grid(lr=[2, 1])))
        {'lr': 1}
    """
    return ranked(results, by=by, largest=largest)[0][0].config


def _run_once(experiment: Experiment, config: Config, seed: int) -> Result:
    seed_everything(seed)
    try:
        outcome = experiment(**config, seed=seed)
    except DivergedError as error:
        return Result(config, seed, {}, _curves(error.history), str(error))
    if isinstance(outcome, Mapping):
        scores, curves = {name: float(score) for name, score in outcome.items()}, {}
    else:
        scores, curves = _final_scores(outcome), _curves(outcome)
    if not scores:
        raise ValueError(
            f"the experiment returned no scores for {config}; expected what fit returned, or a "
            'dictionary such as {"validation_loss": 0.1}.'
        )
    bad = [f"{name} is {value}" for name, value in scores.items() if not math.isfinite(value)]
    return Result(config, seed, {} if bad else scores, curves, ", ".join(bad) or None)


def _final_scores(history: Sequence[Epoch]) -> dict[str, float]:
    if not history:
        return {}
    last = history[-1]
    losses = {"validation_loss": last.validation_loss, "train_loss": last.train_loss}
    return {name: loss for name, loss in losses.items() if loss is not None} | last.metrics


def _curves(history: Sequence[Epoch]) -> dict[str, list[float]]:
    curves = {
        "train_loss": [epoch.train_loss for epoch in history],
        "validation_loss": [
            epoch.validation_loss for epoch in history if epoch.validation_loss is not None
        ],
    }
    return {name: curve for name, curve in curves.items() if curve}


def _spread(numbers: Sequence[float]) -> str:
    if not numbers:
        return ""
    mean = statistics.fmean(numbers)
    if len(numbers) == 1:
        return f"{mean:.4g}"
    return f"{mean:#.4g} ± {statistics.stdev(numbers):.2g}"

"""The record of a run, how it is read back, and how records are ranked."""

from __future__ import annotations

import json
import math
import re
import statistics
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

Config = dict[str, Any]


class Result(NamedTuple):
    """What one run came to.

    Attributes:
        config: The settings that were tried.
        seed: The seed it ran with.
        scores: The final numbers by name; empty if it failed.
        curves: `train_loss` and `validation_loss` by epoch, where the experiment returned them.
        failed: Why there are no scores, or None.
    """

    config: Config
    seed: int
    scores: dict[str, float]
    curves: dict[str, list[float]]
    failed: str | None


def read_results(path: str | Path) -> list[Result]:
    """Read the results that [run][workflow.run] wrote.

    Args:
        path: The file of results.

    Returns:
        One a configuration and seed, the latest where there are several.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is JSON and no result.

    Warns:
        UserWarning: A line is not whole, as after a crash; it is left out.

    Examples:
        >>> import tempfile
        >>> from workflow import grid, run
        >>> path = f"{tempfile.mkdtemp()}/results.jsonl"
        >>> _ = run(lambda lr, seed: {"validation_loss": lr}, grid(lr=[0.1]), seeds=[7], path=path)
        >>> read_results(path)[0].seed
        7
    """
    results = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if not line:
            continue
        try:
            fields = json.loads(line)
        except json.JSONDecodeError:
            warnings.warn(f"{path}, line {number} is not whole; it is left out.", stacklevel=2)
            continue
        if not isinstance(fields, dict) or fields.keys() != set(Result._fields):
            raise ValueError(
                f"{path}, line {number} is no result; expected the fields "
                f"{', '.join(Result._fields)}. Give a file that run wrote."
            )
        result = Result(**fields)
        results[key(result.config), result.seed] = result
    return list(results.values())


def key(config: Config) -> str:
    try:
        return json.dumps(config, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"the configuration {config} can't be kept as JSON ({error}); expected finite numbers, "
            "texts and lists. Name things instead: optimizer='adam', not the class."
        ) from error


def is_test(score: str) -> bool:
    return "test" in re.split(r"[\W_]+", score.lower())


def ranked(results: Sequence[Result], *, by: str, largest: bool) -> list[list[Result]]:
    """The results of each configuration together, the best configuration first."""
    if is_test(by):
        raise ValueError(
            f"by is {by!r}; expected a validation score. A test set that helped to choose no "
            "longer tells how good the choice is: open it once, at the end."
        )
    if not any(by in result.scores for result in results):
        names = sorted({name for result in results for name in result.scores})
        raise ValueError(f"by is {by!r}, which no run has; expected one of {names}.")
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(key(result.config), []).append(result)

    def rank(group: list[Result]) -> tuple[float, float]:
        numbers = [result.scores[by] for result in group if by in result.scores]
        if not numbers:
            return math.inf, math.inf
        mean = statistics.fmean(numbers)
        return len(group) - len(numbers), -mean if largest else mean

    return sorted(groups.values(), key=rank)

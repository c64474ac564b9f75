"""Stage 5: run variations over several seeds, keep what came out, compare, choose."""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import itertools
import json
import math
import re
import statistics
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from workflow import _checks, _files, _tables
from workflow.evaluation import larger_is_better
from workflow.runtime import seed_everything
from workflow.training import DivergedError, Epoch

Config = dict[str, Any]
Experiment = Callable[..., Mapping[str, float] | Sequence[Epoch]]

_Name = tuple[str, int]  # a run's: its configuration as JSON, and its seed
_JSON = json.JSONEncoder(sort_keys=True, allow_nan=False)
_LUCK = 0.05  # how often equal settings may look different


class Result(NamedTuple):
    """What one run came to.

    Attributes:
        config: The settings that were tried.
        seed: The seed it ran with.
        scores: The final numbers by name; empty if it failed.
        curves: `train_loss` and `validation_loss` by epoch, where the experiment returned them.
        failed: Why there are no scores, or None.
        version: Of the code that was run.
    """

    config: Config
    seed: int
    scores: dict[str, float]
    curves: dict[str, list[float]]
    failed: str | None
    version: str = ""


class Difference(NamedTuple):
    """How far one configuration is from another, and how sure that is.

    Attributes:
        mean: Of the differences on the seeds that both ran.
        standard_error: SD(differences) / √n, the luck left in that mean; NaN with one seed.
        seeds: How many seeds both ran (n).
        limit: How many standard errors the mean must exceed to be more than luck.
    """

    mean: float
    standard_error: float
    seeds: int
    limit: float

    @property
    def decided(self) -> bool:
        """Whether the difference is more than luck: beyond `limit` standard errors."""
        return abs(self.mean) > self.limit * self.standard_error


class Choice(NamedTuple):
    """The best configuration, and those it could not be told apart from.

    Attributes:
        config: With the best mean over its seeds.
        undecided: What may be as good or better; empty where the race is decided.
    """

    config: Config
    undecided: list[Config]


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
    lists = {name: [_plain(value) for value in values] for name, values in axes.items()}
    for name, values in lists.items():
        if not values:
            raise ValueError(f"{name} has no value; expected at least one, or leave it out.")
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


def run(
    experiment: Experiment,
    configs: Iterable[Config],
    *,
    seeds: Iterable[int] = (0, 1, 2),
    path: str | Path | None = None,
    version: str | None = None,
) -> list[Result]:
    """Run an experiment once for each configuration and seed.

    Each result is a line of JSON, written when its run ends: a crash loses the run in progress
    and no other, and the same call goes on where it stopped. A run that diverges is a result
    too, a failed one.

    Processes may share the file, on one machine or on a drive that knows locks: each claims a
    run before it does it, and waits at the end for those that others do. The claim of a process
    that dies is free again. (On Windows nothing is claimed, and a run may be done twice.)

    Results count only for the code that they came from. Its version is a fingerprint of the
    experiment's bytecode, and of the functions, classes and plain constants of its own module
    that it names; comments don't matter. What it imports, and the data, are not looked at: when
    they change, say so with `version`.

    Args:
        experiment: Called as `experiment(**config, seed=seed)`, with everything seeded before;
            returns scores by name, or what `fit` returned, of which the last epoch counts: with
            `patience`, return `evaluate(…)` of the weights that were put back.
        configs: What to try, from [grid][workflow.grid] or by hand; values that JSON can hold.
        seeds: One run each; a single seed can't tell luck from effect.
        path: The file of results. None: they are only returned.
        version: A name for the code and data of these runs. None: the fingerprint.

    Returns:
        The results in the order of `configs` and `seeds`, those found in the file included.

    Raises:
        TypeError: A configuration is no dictionary or holds what JSON can't, a seed is no whole
            number, or an experiment returned neither scores nor a history.
        ValueError: There are no seeds, a configuration has its own, or an experiment returned
            no scores.

    Warns:
        UserWarning: The file holds some of these runs by another version; they are done again.

    Examples:
        >>> def miss(guess, seed):
        ...     return {"validation_loss": abs(guess - 0.7)}
        >>> [r.config for r in run(miss, grid(guess=[0.5, 1.0]), seeds=[0])]
        [{'guess': 0.5}, {'guess': 1.0}]
    """
    numbers = [_checks.whole_number("seed", seed, at_least=0) for seed in seeds]
    if not numbers:
        raise ValueError("seeds is empty; expected at least one, better three or more.")
    version = _fingerprint(experiment) if version is None else version
    named = [(_key(config), config) for config in map(_checked, configs)]
    runs = {(key, seed): config for (key, config), seed in itertools.product(named, numbers)}

    def result(name: _Name) -> Result:
        return _run_once(experiment, runs[name], name[1], version)

    done = {name: result(name) for name in runs} if path is None else {}
    if path is not None:
        done = _run_shared(result, runs, Path(path), version)
    names = ((key, seed) for (key, _), seed in itertools.product(named, numbers))
    return [done[name]._replace(config=runs[name]) for name in names]


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
        UserWarning: A line is not whole, as after a crash; it is left out. Or the results are
            of several versions of an experiment.

    Examples:
        >>> import tempfile
        >>> from workflow import grid, run
        >>> path = f"{tempfile.mkdtemp()}/results.jsonl"
        >>> _ = run(lambda lr, seed: {"validation_loss": lr}, grid(lr=[0.1]), seeds=[7], path=path)
        >>> read_results(path)[0].seed
        7
    """
    latest = {}
    for name, found in _ResultsFile(Path(path)).new():
        latest[name] = found
    versions = sorted({found.version for found in latest.values()})
    if len(versions) > 1:
        warnings.warn(
            f"{path} holds results of {len(versions)} versions of the experiment ({versions}), "
            "made by other code; compare those of one: [r for r in results if r.version == …].",
            stacklevel=2,
        )
    return list(latest.values())


def compare(
    results: Sequence[Result],
    *,
    by: str = "validation_loss",
    largest: bool | None = None,
    markdown: bool = False,
) -> str:
    """Set the configurations side by side, best first: means over their seeds.

    Beside each stands its [difference][workflow.difference] to the best, on the seeds that both
    ran, ± its standard error; it is `worse` where that is decided, else `undecided`. With k
    equal settings, any of them is called worse in at most 5 % of comparisons, where differences
    are about normal. A configuration
    of which more runs failed stands behind, whatever its scores.

    Scores with a word that begins with "test" are left out: what is seen is soon chosen by.

    Args:
        results: From [run][workflow.run].
        by: The score to sort by.
        largest: Whether the largest is best. None: its name says so, as for an accuracy.
        markdown: A Markdown table instead of aligned text.

    Returns:
        The table.

    Raises:
        ValueError: `by` is a test score, no run has it, or its name doesn't say whether more
            is better.

    Examples:
        >>> def noisy(lr, seed):
        ...     return {"validation_loss": lr + (lr * seed) ** 2 / 100}
        >>> print(compare(run(noisy, grid(lr=[2, 1]), seeds=range(10))))
        lr  validation_loss  difference ± SE  verdict  runs  failed
        1             1.285                   best       10       0
        2             3.140     +1.85 ± 0.27  worse      10       0
    """
    groups = ranked(results, by=by, largest=largest)
    axes = list(dict.fromkeys(name for result in results for name in result.config))
    scores = dict.fromkeys(name for result in results for name in result.scores)
    others = [name for name in scores if name != by and not _is_test(name)]
    rows = [[*axes, by, "difference ± SE", "verdict", *others, "runs", "failed"]]
    for group, (difference, verdict) in zip(groups, _verdicts(groups, by, largest), strict=True):
        settings = [str(group[0].config.get(axis, "")) for axis in axes]
        failed = sum(result.failed is not None for result in group)
        mean, *means = (_mean(group, name) for name in (by, *others))
        rows.append([*settings, mean, _shown(difference), verdict, *means])
        rows[-1] += [str(len(group)), str(failed)]
    numeric = [n for n in range(len(axes), len(rows[0])) if rows[0][n] != "verdict"]
    table = _tables.as_markdown if markdown else _tables.as_text
    return table(rows, numeric=numeric)


def difference(
    results: Sequence[Result], config: Config, other: Config, *, by: str = "validation_loss"
) -> Difference:
    """How much more `other` scores than `config`, on the seeds that both ran.

    With the same seed two configurations share their luck, and in the difference it falls away:

        differences = [b - a for a, b in zip(scores, other_scores)]
        mean = statistics.fmean(differences)
        standard_error = statistics.stdev(differences) / math.sqrt(len(differences))

    The limit is Student's t: between two equal settings luck alone passes it in 5 % of
    comparisons, where the differences are about normal. (With two or three seeds, and runs that
    end in one of two states, as in a cycle, it can be three times as many.) For one pair it is
    12.7 standard errors with 2 seeds, 4.3 with 3, 2.3 with 10 and 2.0 with 100. Where `results`
    holds k configurations there are k (k − 1) / 2 pairs to be misled by; each gets 5 % divided
    by their number, so that luck passes the limit of any pair in 5 % at most. Where all
    differences are the same, the standard error is 0 and says nothing; then only many seeds
    decide, from 6 on for one pair.

    Args:
        results: From [run][workflow.run].
        config: One configuration.
        other: Another.
        by: The score to compare.

    Returns:
        Its mean, standard error, number of seeds and limit.

    Raises:
        ValueError: `by` is a test score, or no seed has it for both.

    Examples:
        >>> results = run(lambda lr, seed: {"mae": lr * (2 + seed)}, grid(lr=[0.1, 0.2]))
        >>> mean, standard_error, seeds, limit = difference(
        ...     results, {"lr": 0.1}, {"lr": 0.2}, by="mae"
        ... )
        >>> f"{mean:.2f} ± {standard_error:.2f}, {seeds} seeds, limit {limit:.2f}"
        '0.30 ± 0.06, 3 seeds, limit 4.30'
    """
    groups = _by_config(results, by)
    a, b = (_by_seed(groups.get(_key(c), []), by) for c in (config, other))
    found = _difference(a, b, _pairs(groups.values(), by))
    if found is None:
        raise ValueError(
            f"{config} and {other} have no seed in common with {by!r}; expected both in results, "
            "run with the same seeds."
        )
    return found


def choose(
    results: Sequence[Result], *, by: str = "validation_loss", largest: bool | None = None
) -> Choice:
    """Choose the configuration with the best mean over its seeds, by validation, never by test.

    The choice lists what it could not be told apart from, by the rule of
    [difference][workflow.difference]. More seeds, more validation data or other splits decide
    a race; the test set doesn't.

    Args:
        results: From [run][workflow.run].
        by: The score to choose by.
        largest: Whether the largest is best. None: its name says so, as for an accuracy.

    Returns:
        The configuration, one with a failed run last, and those that may be as good.

    Raises:
        ValueError: `by` is a test score, no run has it, or its name doesn't say whether more
            is better.

    Examples:
        >>> results = run(lambda lr, seed: {"validation_loss": lr * seed}, grid(lr=[2, 1]))
        >>> choose(results)
        Choice(config={'lr': 1}, undecided=[{'lr': 2}])
    """
    groups = ranked(results, by=by, largest=largest)
    verdicts = [verdict for _, verdict in _verdicts(groups, by, largest)]
    configs = [group[0].config for group in groups]
    pairs = zip(configs, verdicts, strict=True)
    return Choice(configs[0], [config for config, verdict in pairs if verdict == "undecided"])


def ranked(results: Sequence[Result], *, by: str, largest: bool | None) -> list[list[Result]]:
    """The results of each configuration together, the best configuration first."""
    groups = _by_config(results, by)
    sign = -1 if _largest(by, largest) else 1

    def rank(group: list[Result]) -> tuple[float, float]:
        numbers = _by_seed(group, by).values()
        if not numbers:
            return math.inf, math.inf
        return len(group) - len(numbers), sign * statistics.fmean(numbers)

    return sorted(groups.values(), key=rank)


def _by_config(results: Sequence[Result], by: str) -> dict[str, list[Result]]:
    """The results of each configuration, one a seed; `by` is a score to go by."""
    if _is_test(by):
        raise ValueError(
            f"by is {by!r}; expected a validation score. A test set that helped to choose no "
            "longer tells how good the choice is: open it once, at the end. If it is no test "
            'score, give it a name in which no word begins with "test".'
        )
    if not any(by in result.scores for result in results):
        names = sorted({name for result in results for name in result.scores})
        raise ValueError(f"by is {by!r}, which no run has; expected one of {names}.")
    groups: dict[str, dict[int, Result]] = {}
    for result in results:
        groups.setdefault(_key(result.config), {})[result.seed] = result
    return {key: list(group.values()) for key, group in groups.items()}


def _by_seed(group: Iterable[Result], by: str) -> dict[int, float]:
    return {result.seed: result.scores[by] for result in group if by in result.scores}


def _largest(by: str, largest: bool | None) -> bool:
    known = larger_is_better(by) if largest is None else largest
    if known is None:
        raise ValueError(
            f"by is {by!r}, and the name doesn't say whether more is better; expected "
            "largest=True, or largest=False where less is better."
        )
    return known


def _is_test(score: str) -> bool:
    """Whether a word in the name begins with "test", as in test_loss, testloss and accTest."""
    return re.search(r"(?<![a-z])test|(?<=[a-z])(?-i:T)est", score, re.IGNORECASE) is not None


def _verdicts(
    groups: Sequence[list[Result]], by: str, largest: bool | None
) -> list[tuple[Difference | None, str]]:
    """Of each ranked configuration: its difference to the best, and what follows."""
    pairs, sign = _pairs(groups, by), -1 if _largest(by, largest) else 1
    best, *others = (_by_seed(group, by) for group in groups)
    fewest = len(groups[0]) - len(best)
    verdicts: list[tuple[Difference | None, str]] = [(None, "best")]
    for group, scores in zip(groups[1:], others, strict=True):
        found = _difference(best, scores, pairs)
        if not scores or len(group) - len(scores) > fewest:
            verdict = "failed"
        elif found is not None and found.decided and sign * found.mean > 0:
            verdict = "worse"
        else:
            verdict = "undecided"
        verdicts.append((found, verdict))
    return verdicts


def _pairs(groups: Iterable[list[Result]], by: str) -> int:
    return math.comb(sum(bool(_by_seed(group, by)) for group in groups), 2)


def _difference(a: dict[int, float], b: dict[int, float], pairs: int) -> Difference | None:
    differences = [b[seed] - a[seed] for seed in a if seed in b]
    if not differences:
        return None
    n, mean = len(differences), statistics.fmean(differences)
    if n == 1:
        return Difference(mean, math.nan, n, math.inf)
    size = max(abs(score) for scores in (a, b) for score in scores.values())
    if max(differences) - min(differences) <= 1e-6 * size:  # all the same, but for rounding
        equal_by_luck = 2.0 ** (1 - n)  # as often as n coins fall on one side
        return Difference(mean, 0.0, n, 0.0 if equal_by_luck <= _LUCK / pairs else math.inf)
    error = statistics.stdev(differences) / math.sqrt(n)
    return Difference(mean, error, n, _limit(n, pairs))


@functools.cache
def _limit(n: int, pairs: int) -> float:
    """How many standard errors n differences stay within, but for 5 % over all pairs."""
    low, high = 0.0, 1.0
    while _within(high, n) < 1 - _LUCK / pairs:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):
        if _within(middle, n) < 1 - _LUCK / pairs:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, n: int) -> float:
    """How often luck stays within t standard errors: Student's t, of n − 1 degrees of freedom.

    For a whole number of degrees it is a finite sum, in odd or even powers of a cosine.
    """
    degrees = n - 1
    angle = math.atan2(t, math.sqrt(degrees))
    odd = degrees % 2
    term, total = math.cos(angle) ** odd, 0.0
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= math.cos(angle) ** 2 * k / (k + 1)
    share = math.sin(angle) * total
    return 2 / math.pi * (angle + share) if odd else share


def _mean(group: Sequence[Result], score: str) -> str:
    numbers = _by_seed(group, score).values()
    if not numbers:
        return "failed" if all(result.failed is not None for result in group) else "–"
    return f"{statistics.fmean(numbers):#.4g}"


def _shown(found: Difference | None) -> str:
    if found is None:
        return ""
    if math.isnan(found.standard_error):
        return f"{found.mean:+.3g}"
    return f"{found.mean:+.3g} ± {found.standard_error:.2g}"


def _checked(config: Config) -> Config:
    if not isinstance(config, Mapping):
        raise TypeError(
            f"configs holds {config!r} ({type(config).__name__}); expected a list of dictionaries, "
            "as grid makes."
        )
    if "seed" in config:
        raise ValueError(
            f"the configuration {config} has a seed; expected the seeds apart: seeds=[…]."
        )
    return {name: _plain(value) for name, value in config.items()}


def _plain(value: Any) -> Any:
    return _files.plain(value, np.generic, Tensor)


def _run_shared(
    result: Callable[[_Name], Result], names: Iterable[_Name], path: Path, version: str
) -> dict[_Name, Result]:
    """All results, of which each run is done by one of the processes that share the file."""
    file = _ResultsFile(path)
    done: dict[_Name, Result] = {}
    others: dict[_Name, Result] = {}

    def look() -> None:
        for name, found in file.new() if path.exists() else ():
            (done if found.version == version else others)[name] = found

    look()
    waiting = deque(name for name in names if name not in done)
    if again := [others[name] for name in waiting if name in others]:
        warnings.warn(
            f"{path} holds {len(again)} of these runs by another version of the experiment, made "
            "by other code; they are skipped, and run again. If nothing that matters has changed, "
            f"use them: run(…, version={again[-1].version!r}).",
            stacklevel=3,
        )
    if not waiting:
        return done
    with _files.Claims(path) as claims:
        refused = 0
        while waiting:
            name = waiting.popleft()
            all_refused = refused > len(waiting)  # nothing is left but to wait for the others
            with claims.claim(f"{name} {version}", wait=all_refused) as ours:
                if not ours:
                    refused += 1
                    waiting.append(name)
                    continue
                refused = 0
                with claims.claim("the file", wait=True):
                    look()
                if name not in done:
                    done[name] = result(name)
                    with claims.claim("the file", wait=True):
                        _files.append(path, _JSON.encode(done[name]._asdict()))
    return done


class _ResultsFile:
    """A file of results, of which each line is read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = self.lines = 0

    def new(self) -> list[tuple[_Name, Result]]:
        """What was written since the last look, with the names of the runs."""
        with self.path.open("rb") as file:
            file.seek(self.place)
            *lines, rest = file.read().split(b"\n")
        found = [self._result(line, n) for n, line in enumerate([*lines, rest], self.lines + 1)]
        self.place += sum(map(len, lines)) + len(lines)
        self.lines += len(lines)  # the rest may not be whole yet
        return [(name, result) for name, result in filter(None, found)]

    def _result(self, line: bytes, number: int) -> tuple[_Name, Result] | None:
        if not line.strip():
            return None
        try:
            fields = json.loads(line.decode())
        except (ValueError, RecursionError):
            warnings.warn(f"{self.path}, line {number} is not whole; it is left out.", stacklevel=2)
            return None
        try:
            result = Result(**fields)
            name = _JSON.encode(result.config), result.seed
            assert isinstance(result.config, dict)
            assert isinstance(result.seed, int)
            assert all(map(math.isfinite, result.scores.values()))
        except (TypeError, ValueError, AttributeError, AssertionError) as error:
            raise ValueError(
                f"{self.path}, line {number} is no result; expected the fields "
                f"{', '.join(Result._fields)}. Give a file that run wrote."
            ) from error
        return name, result


def _run_once(experiment: Experiment, config: Config, seed: int, version: str) -> Result:
    seed_everything(seed)
    try:
        outcome = experiment(**config, seed=seed)
    except DivergedError as error:
        return Result(config, seed, {}, _curves(error.history), str(error), version)
    if isinstance(outcome, Mapping):
        scores, curves = {name: float(score) for name, score in outcome.items()}, {}
    elif isinstance(outcome, Sequence) and all(isinstance(epoch, Epoch) for epoch in outcome):
        scores, curves = _final_scores(outcome), _curves(outcome)
    else:
        scores, curves = {}, {}
    if not scores:
        raise ValueError(
            f"the experiment returned no scores for {config} but {outcome!r}; expected what fit "
            'returned, or a dictionary such as {"validation_loss": 0.1}.'
        )
    bad = [f"{name} is {value}" for name, value in scores.items() if not math.isfinite(value)]
    return Result(config, seed, {} if bad else scores, curves, ", ".join(bad) or None, version)


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


def _key(config: Config) -> str:
    try:
        return _JSON.encode(config)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"the configuration {config} can't be kept as JSON ({error}); expected finite numbers, "
            "texts and lists. Name things instead: optimizer='adam', not the class."
        ) from error


def _fingerprint(experiment: Experiment) -> str:
    """A name for the code that is run, the same in each process.

    It is made of bytecode, not of the source file, which may have been edited since.
    """
    code = experiment
    while isinstance(code, functools.partial):
        code = code.func
    home = getattr(code, "__module__", None) or type(code).__module__
    named = isinstance(code, type) or hasattr(code, "__name__")
    parts = [*_parts(experiment, home, []), *([] if named else _parts(type(code), home, []))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _parts(thing: Any, home: str, seen: list[Any]) -> Iterator[str]:
    """Bytecode and constants of the thing, and of what it names in its home, a module."""
    if isinstance(thing, bool | int | float | complex | str | bytes | None):
        yield repr(thing)
        return
    if any(thing is one for one in seen):
        return
    seen.append(thing)
    inside: Iterable[Any] = ()
    if isinstance(thing, tuple | frozenset):
        inside = thing if isinstance(thing, tuple) else sorted(thing, key=repr)
    elif isinstance(thing, CodeType):
        yield f"{thing.co_code.hex()} {thing.co_names} {thing.co_varnames}"
        inside = thing.co_consts
    elif isinstance(thing, MethodType | staticmethod | classmethod):
        inside = (thing.__func__,)
    elif isinstance(thing, functools.partial):
        inside = thing.func, thing.args, *sorted(thing.keywords.items())
    elif isinstance(thing, property):
        inside = thing.fget, thing.fset
    elif isinstance(thing, FunctionType) and thing.__module__ == home:
        inside = (
            thing.__code__,
            thing.__defaults__,
            *(thing.__kwdefaults__ or {}).items(),
            *_named(thing),
        )
    elif isinstance(thing, type) and thing.__module__ == home:
        own = {n: v for n, v in vars(thing).items() if callable(v) or not n.startswith("__")}
        inside = *thing.__bases__, *sorted(own.items(), key=lambda item: item[0])
    wrapped = getattr(thing, "__wrapped__", None) if callable(thing) else None
    for part in (*inside, wrapped):
        yield from _parts(part, home, seen)


def _named(function: FunctionType) -> list[Any]:
    """What a function finds under the names it reads and doesn't set, outside of itself."""
    codes, reads, sets = [function.__code__], set(), set()
    for code in codes:
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
        for step in dis.get_instructions(code):
            if step.opname in ("STORE_GLOBAL", "STORE_DEREF"):
                sets.add(step.argval)
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                reads.add(step.argval)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {name: function.__globals__.get(name) for name in reads}
    for name, cell in cells:
        with contextlib.suppress(ValueError):  # not set yet
            found[name] = cell.cell_contents
    return [(name, found[name]) for name in sorted(found.keys() - sets)]

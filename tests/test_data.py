"""Stage 1, data: points on a line, parts, batches, and tensors made of what people hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # its types come apart, for one test file
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from workflow import Batches, batches, make_line, split, to_tensor

SHARES = st.one_of(
    st.floats(0.05, 0.95).map(lambda a: (a, 1 - a)),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)).map(
        lambda parts: tuple(part / sum(parts) for part in parts)
    ),
)


def numbered(n: int) -> tuple[Tensor, Tensor]:
    """Examples that can be told apart, each with a label that belongs to it."""
    X = torch.arange(float(n)).unsqueeze(1)
    return X, 10 * X


def order(data: Batches) -> list[float]:
    return [x for X, _ in data for x in X.flatten().tolist()]


# make_line


def test_the_line_is_the_one_written_by_hand() -> None:
    X, y = make_line()
    by_hand = torch.arange(0, 1, 0.02).unsqueeze(1)
    assert torch.equal(X, by_hand)
    assert torch.equal(y, 0.7 * by_hand + 0.3)


@pytest.mark.parametrize(
    ("start", "end", "step", "count"),
    [(1, 1.3, 0.1, 3), (0, 0.3, 0.1, 3), (0, 1, 0.3, 4), (0, 1, 2, 1), (-1, 1, 0.1, 20)],
)
def test_float_steps_give_the_number_of_points_that_was_meant(
    start: float, end: float, step: float, count: int
) -> None:
    X, y = make_line(start, end, step)
    assert len(X) == len(y) == count
    assert X.max() < end


def test_noise_comes_from_its_seed_alone() -> None:
    clean = make_line()[1]
    (_, first), (_, again), (_, other) = (make_line(noise=0.1, seed=s) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0.05 < (first - clean).std() < 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": 0}, r"step=0 gives no points; expected step > 0"),
        ({"step": -0.1}, r"step=-0.1 gives no points"),
        ({"start": 1.0, "end": 1.0}, r"start=1.0, end=1.0.*expected step > 0 and end > start"),
        ({"weight": math.nan}, r"weight is nan; expected a finite number"),
        ({"end": math.inf}, r"end is inf; expected a finite number"),
        ({"noise": -1.0}, r"noise is -1.0; expected 0 or more"),
    ],
)
def test_a_line_without_sense_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_line(**arguments)  # type: ignore[arg-type]  # seed, the only int, is not among them


# split


@given(n=st.integers(60, 400), fractions=SHARES, shuffle=st.booleans(), seed=st.integers(0, 99))
def test_each_example_lands_in_exactly_one_part(
    n: int, fractions: tuple[float, ...], shuffle: bool, seed: int
) -> None:
    X, y = numbered(n)
    parts = split(X, y, fractions=fractions, shuffle=shuffle, seed=seed)
    again = split(X, y, fractions=fractions, shuffle=shuffle, seed=seed)
    together = torch.cat([part_X for part_X, _ in parts])
    assert torch.equal(together.sort(dim=0).values, X)
    for (part_X, part_y), (same_X, _), share in zip(parts, again, fractions, strict=True):
        assert abs(len(part_X) - n * share) <= 1 + 1e-9
        assert torch.equal(part_y, 10 * part_X)
        assert torch.equal(part_X, same_X)
    assert shuffle or torch.equal(together, X)


def test_another_seed_gives_other_parts() -> None:
    X, y = numbered(50)
    assert not torch.equal(split(X, y, seed=0)[1][0], split(X, y, seed=1)[1][0])


def test_fractions_a_little_off_lose_no_example() -> None:
    X = torch.zeros(3_000_000, 1)
    assert sum(len(part) for part, _ in split(X, X, fractions=(0.8, 0.1999992))) == len(X)


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ((0.8, 0.3), r"fractions \(0.8, 0.3\) sum to 1.1; expected shares .* such as \(0.8, 0.2\)"),
        ((1.2, -0.2), r"expected shares of 0 or more"),
        ((math.nan, 1.0), r"sum to nan"),
        ((1.0, 0.0), r"leave a part of the 10 examples empty; give it a larger share"),
        ((0.98, 0.01, 0.01), r"leave a part of the 10 examples empty"),
        ((1.0,), r"fractions has 1 parts, \(1.0,\); expected two or three"),
        ((0.25,) * 4, r"fractions has 4 parts"),
    ],
)
def test_fractions_that_cannot_be_are_refused(fractions: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split(*numbered(10), fractions=fractions)


ONES = torch.ones(4, 1)


@pytest.mark.parametrize("takes", [split, batches])
@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (ONES, ONES[:3], ValueError, r"X has 4 examples and y has 3; expected one label for each"),
        (ONES[:0], ONES[:0], ValueError, r"X has shape \(0, 1\) and holds no example"),
        (torch.tensor(1.0), ONES, ValueError, r"X has shape \(\) and holds no example"),
        (ONES, ONES[:0], ValueError, r"y has shape \(0, 1\) and holds no example"),
        (
            torch.tensor([[0.0], [math.nan]]),
            ONES[:2],
            ValueError,
            r"X holds NaN .* in row 1: \[nan",
        ),
        (torch.tensor([[0, math.inf]]), ONES[:1], ValueError, r"X holds NaN or infinity in 1 of 1"),
        (ONES, ONES / 0, ValueError, r"y holds NaN or infinity in 4 of 4 rows.*Fill or drop"),
        ([1.0], ONES, TypeError, r"X holds a float; expected a tensor, .*workflow.to_tensor makes"),
        ([], ONES, TypeError, r"X is a list; expected a tensor, or a tuple, list or dictionary"),
        ((ONES, ONES[:3]), ONES, ValueError, r"X has 4 examples and X has 3"),
        (ONES, np.ones(4), TypeError, r"y is a ndarray; expected a tensor"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(
    takes: Any, X: Any, y: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        takes(X, y)


# batches


@given(n=st.integers(1, 60), size=st.none() | st.integers(1, 70), shuffle=st.booleans())
def test_each_walk_has_each_example_once_in_batches_of_one_size(
    n: int, size: int | None, shuffle: bool
) -> None:
    X, y = numbered(n)
    data = batches(X, y, batch_size=size, shuffle=shuffle)
    for _ in range(2):
        walk = list(data)
        assert len(walk) == len(data)
        assert all(len(batch) == (size or n) for batch, _ in walk[:-1])
        assert 1 <= len(walk[-1][0]) <= (size or n)
        assert all(torch.equal(batch_y, 10 * batch_X) for batch_X, batch_y in walk)
        together = torch.cat([batch for batch, _ in walk])
        assert torch.equal(together.sort(dim=0).values if shuffle else together, X)


def test_each_epoch_has_a_new_order_and_each_seed_its_own() -> None:
    def two_epochs(seed: int) -> list[list[float]]:
        data = batches(*numbered(50), batch_size=8, shuffle=True, seed=seed)
        return [order(data), order(data)]

    first, second = two_epochs(1)
    assert first != second
    assert two_epochs(1) == [first, second]
    assert two_epochs(2)[0] != first


def test_the_orders_leave_the_global_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    order(batches(*numbered(50), shuffle=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_generators_state_resumes_in_the_middle_of_a_run() -> None:
    whole = batches(*numbered(50), batch_size=8, shuffle=True)
    orders = [order(whole) for _ in range(2)]
    state = whole.generator.get_state()
    orders += [order(whole) for _ in range(2)]

    resumed = batches(*numbered(50), batch_size=8, shuffle=True)
    resumed.generator.set_state(state)
    assert [order(resumed) for _ in range(2)] == orders[2:]


def test_a_full_batch_in_order_is_not_copied() -> None:
    X, y = numbered(50)
    [(batch_X, batch_y)] = batches(X, y)
    assert batch_X is X
    assert batch_y is y


@pytest.mark.parametrize(
    ("size", "error", "message"),
    [
        (0, ValueError, r"batch_size is 0; expected a whole number, 1 or more"),
        (-5, ValueError, r"batch_size is -5"),
        (2.5, TypeError, r"batch_size is 2.5 \(float\); expected a whole number"),
        (True, TypeError, r"batch_size is True \(bool\); expected a whole number"),
    ],
)
def test_a_batch_size_that_is_no_count_is_refused(
    size: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        batches(*numbered(10), batch_size=size)


# to_tensor

TABLE = pd.DataFrame({"flag": [True, False], "size": [0.5, 2.0]})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([1, 2], torch.tensor([1, 2])),
        ([1, 2.5], torch.tensor([1.0, 2.5])),
        ([[1, 2], (3, 4)], torch.tensor([[1, 2], [3, 4]])),
        ((0.5,), torch.tensor([0.5])),
        ([True, False], torch.tensor([True, False])),
        ([np.float64(0.5), torch.tensor(2.0)], torch.tensor([0.5, 2.0])),
        ([], torch.tensor([])),
        (3, torch.tensor(3)),
        (np.float64(0.5), torch.tensor(0.5)),
        (np.array([0.1]), torch.tensor([0.1])),
        (np.array([1.5], dtype=np.float16), torch.tensor([1.5])),
        (np.array([3, 4], dtype=np.int32), torch.tensor([3, 4], dtype=torch.int32)),
        (np.array([3, 4], dtype=np.int8), torch.tensor([3, 4], dtype=torch.int8)),
        (np.array([3, 4], dtype=np.int64), torch.tensor([3, 4])),
        (np.array([True]), torch.tensor([True])),
        (np.arange(3.0)[::-1], torch.tensor([2.0, 1.0, 0.0])),
        (np.array([1.5], dtype=np.longdouble), torch.tensor([1.5])),
        (np.array([1.5, 2.5], dtype=">f8"), torch.tensor([1.5, 2.5])),
        (np.array([1, 2], dtype=">i4"), torch.tensor([1, 2], dtype=torch.int32)),
        (np.array([255], dtype=np.uint8), torch.tensor([255], dtype=torch.uint8)),
        (np.array([65535], dtype=np.uint16), torch.tensor([65535], dtype=torch.int32)),
        (range(3), torch.tensor([0, 1, 2])),
        (np.ma.array([1, 2], mask=[False, False]), torch.tensor([1, 2])),
        (np.array([2**32 - 1], dtype=np.uint32), torch.tensor([2**32 - 1])),
        (np.array([2**63 - 1], dtype=np.uint64), torch.tensor([2**63 - 1])),
        (np.array([[1, 2.5]], dtype=object), torch.tensor([[1.0, 2.5]])),
        (torch.tensor([0.1], dtype=torch.float64), torch.tensor([0.1])),
        (TABLE["size"], torch.tensor([0.5, 2.0])),
        (TABLE["flag"], torch.tensor([True, False])),
        (TABLE, torch.tensor([[1.0, 0.5], [0.0, 2.0]])),
        (pd.Series([1, 2], dtype="Int64"), torch.tensor([1, 2])),
        (pd.Series([3, 1], dtype="category"), torch.tensor([3, 1])),
    ],
)
def test_what_people_hold_becomes_a_tensor(data: Any, expected: Tensor) -> None:
    tensor = to_tensor(data)
    assert tensor.dtype == expected.dtype
    assert torch.equal(tensor, expected)


@pytest.mark.parametrize(
    "data",
    [
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series([1, None], dtype="Int64"),
        np.ma.array([1.5, 2.5], mask=[False, True]),
    ],
)
def test_a_missing_number_is_there_as_nan_for_split_to_refuse(data: Any) -> None:
    assert to_tensor(data).isnan().tolist() == [False, True]


def test_an_array_is_copied_also_one_that_cannot_be_written() -> None:
    array = np.ones(2, dtype=np.float32)
    array.flags.writeable = False
    tensor = to_tensor(array)
    tensor += 1
    assert array.tolist() == [1, 1]


def test_a_tensor_is_copied_without_its_gradient() -> None:
    source = torch.ones(2, requires_grad=True)
    tensor = to_tensor(source)
    tensor += 1
    assert not tensor.requires_grad
    assert source.tolist() == [1, 1]


@pytest.mark.parametrize("data", [[0.1], np.array([0.1]), np.array([0.1], dtype=object)])
def test_a_dtype_asked_for_is_given_to_the_last_digit(data: Any) -> None:
    assert to_tensor(data, dtype=torch.float64).item() == 0.1
    assert to_tensor([1, 0], dtype=torch.float32).dtype == torch.float32
    assert to_tensor([1.0, 0.0], dtype=torch.int64).tolist() == [1, 0]
    assert to_tensor([1, 0], dtype=torch.bool).tolist() == [True, False]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["1", 2], r"data\[0\] is '1' \(str\); expected a number .* a number written as text"),
        (["a", 2], r"data\[0\] is 'a' \(str\); expected a number .* Give each category a number"),
        ([["1", ""]][0][1:], r"data\[0\] is '' \(str\).*Nothing stands there: fill or drop"),
        ([[1.0], [None]], r"data\[1\]\[0\] is None \(NoneType\).*Fill or drop what is missing"),
        ({1, 2}, r"data is {1, 2} \(set\); .*Give a list of its numbers"),
        (np.ma.array([1, 2], mask=[False, True]), r"data\[1\] is None .*Fill or drop what is miss"),
        (
            pd.DataFrame({"n": [1.0, 2.0], "m": [1, None]}, dtype=object),
            r"data\['m'\].iloc\[1\] is N",
        ),
        ([1, 2**63], r"data\[1\] is 9223372036854775808 \(int\).*fits 64 bits"),
        (np.array([1, 2**63], dtype=np.uint64), r"data\[1\] is 9223372036854775808 \(int\)"),
        (np.array([1j]), r"data\[0\] is 1j \(complex\)"),
        (None, r"data is None"),
        ("text", r"data is 'text' \(str\)"),
        ({"a": 1}, r"data is {'a': 1} \(dict\)"),
        (pd.Series(["a", "b"]), r"data\[0\] is 'a' \(str\)"),
        (pd.Series(["a", "b"], dtype="category"), r"data\[0\] is 'a'"),
        (pd.DataFrame({"n": [1, 2], "s": ["x", "y"]}), r"data\['s'\].iloc\[0\] is 'x'"),
        (pd.Series([1, None], dtype="object"), r"data\[1\] is None"),
        (pd.Series([pd.NA, 1], dtype="object"), r"data\[0\] is <NA> \(NAType\)"),
        (pd.Series(pd.to_datetime(["2024-01-31"])), r"data\[0\] is .*2024-01-31"),
        (np.array(["2024-01-31"], dtype="datetime64[ns]"), r"data\[0\] is .*2024-01-31"),
        ([np.datetime64("2024-01-31", "ns")], r"data\[0\] is .*2024-01-31"),
        (np.array([5], dtype="timedelta64[ns]"), r"data\[0\] is .*5"),
    ],
)
def test_what_is_no_number_is_named_with_its_place(data: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        to_tensor(data)


@pytest.mark.parametrize("data", [[[1, 2], [3]], [1, [2]], [[1], 2]])
def test_rows_of_different_length_are_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"data is ragged .*expected rows of one length. Pad"):
        to_tensor(data)


@pytest.mark.parametrize(
    ("data", "dtype", "message"),
    [
        ([[0], [300]], torch.uint8, r"data\[1, 0\] is 300; expected .* fits torch.uint8"),
        ([0.5], torch.int64, r"data\[0\] is 0.5; expected a number that fits.*Leave dtype out"),
        (np.array([1, math.nan]), torch.int64, r"data\[1\] is nan; expected a number that fits"),
        ([2], torch.bool, r"data\[0\] is 2; expected .* fits torch.bool"),
        ([1e300], None, r"data\[0\] is 1e\+300; expected a number that fits torch.float32"),
        ([7e4], torch.float16, r"data\[0\] is 70000.0; expected .* fits torch.float16"),
    ],
)
def test_a_number_that_the_dtype_would_change_is_refused(
    data: Any, dtype: torch.dtype | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        to_tensor(data, dtype=dtype)


def test_another_default_device_changes_no_order() -> None:
    X, y = torch.arange(20.0).unsqueeze(1), torch.arange(20) % 4

    def orders() -> list[list[float]]:
        parts = [*split(X, y), *split(X, y, stratify=y), *split(X, y, groups=y)]
        parts += [*batches(X, y, batch_size=8, shuffle=True)]
        return [part.flatten().tolist() for part, _ in parts]

    expected = orders()
    with torch.device("meta"):  # as a GPU that is the default would be
        assert orders() == expected
        assert make_line(noise=0.1)[1].is_meta

"""Stage 1: turn what you have into tensors, divide it, and hand it out in batches."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workflow import _checks, _trees
from workflow.types import Batch, Pair, Tensors


def make_line(
    start: float = 0.0,
    end: float = 1.0,
    step: float = 0.02,
    *,
    weight: float = 0.7,
    bias: float = 0.3,
    noise: float = 0.0,
    seed: int = 0,
) -> Pair:
    """Make points on the line `y = weight * X + bias`, with noise if you ask for it.

    Args:
        start: The first x.
        end: Where x stops; `end` itself is left out.
        step: The distance from one x to the next.
        weight: The slope to be learned.
        bias: The height at x = 0 to be learned.
        noise: Standard deviation of the normal noise added to `y`.
        seed: Of the noise; the same seed gives the same points.

    Returns:
        `X` and `y`, both of shape `(n, 1)` and dtype float32.

    Raises:
        ValueError: A number is not finite, `step` is not positive, `end` is not beyond
            `start`, or `noise` is negative.

    Examples:
        >>> X, y = make_line(0, 1, 0.02)
        >>> X.shape, y[0].item()
        (torch.Size([50, 1]), 0.30000001192092896)
    """
    numbers = {"start": start, "end": end, "step": step}
    numbers |= {"weight": weight, "bias": bias, "noise": noise}
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}; expected a finite number.")
    if step <= 0 or end <= start:
        raise ValueError(
            f"start={start}, end={end}, step={step} gives no points; "
            "expected step > 0 and end > start."
        )
    if noise < 0:
        raise ValueError(f"noise is {noise}; expected 0 or more, a standard deviation.")
    # A float quotient such as 0.3 / 0.1 lands beside the whole number that was meant.
    steps = (end - start) / step
    count = round(steps) if math.isclose(steps, round(steps), rel_tol=1e-9) else math.ceil(steps)
    X = torch.arange(start, end, step, dtype=torch.float32)[:count].unsqueeze(1)  # (n, 1)
    y = weight * X + bias
    if noise:
        luck = torch.Generator().manual_seed(seed)
        y = y + noise * torch.randn(y.shape, generator=luck, device=luck.device).to(y.device)
    return X, y


def split(
    X: Tensors,
    y: Tensors,
    *,
    fractions: Sequence[float] = (0.8, 0.2),
    shuffle: bool = True,
    seed: int = 0,
    stratify: Tensor | Sequence[Hashable] | None = None,
    groups: Tensor | Sequence[Hashable] | None = None,
) -> list[Batch]:
    """Divide examples into two or three parts; each example lands in exactly one.

    Args:
        X: Features, one example a row; a tuple, list or dictionary of tensors for a model of
            several inputs.
        y: Labels, as many as `X` has rows.
        fractions: The share of each part, in order: training and test, or training,
            validation and test. They sum to 1.
        shuffle: Mix the examples first. In order, the last part holds the last rows: on a
            sorted line it then tests extrapolation.
        seed: Of the shuffle; the same seed gives the same parts.
        stratify: A class for each example, mostly `y` itself: each part gets its share of each
            class, as near as whole examples allow.
        groups: A name or number for each example, such as the patient it comes from: a group
            is never divided. The parts are then as near to the fractions as groups allow.

    Returns:
        One pair `(X, y)` a part.

    Raises:
        TypeError: `X` or `y` is not made of tensors.
        ValueError: `X` and `y` differ in length, are empty or not finite, the fractions don't
            sum to 1, or a part would be empty.

    Examples:
        >>> X, y = make_line()
        >>> train, test = split(X, y, fractions=(0.8, 0.2), shuffle=False)
        >>> len(train[0]), len(test[0])
        (40, 10)
        >>> rare = torch.arange(100) % 20 == 0  # five in a hundred
        >>> [int(part.sum()) for _, part in split(torch.randn(100, 2), rare, stratify=rare)]
        [4, 1]
    """
    _checks.rows(X, y)
    count = _trees.rows(X)
    fractions = tuple(fractions)
    if len(fractions) not in (2, 3):
        raise ValueError(
            f"fractions has {len(fractions)} parts, {fractions}; expected two or three."
        )
    if not math.isclose(math.fsum(fractions), 1.0, abs_tol=1e-6) or min(fractions) < 0:
        raise ValueError(
            f"fractions {fractions} sum to {math.fsum(fractions):g}; expected shares of 0 or more "
            "that sum to 1, such as (0.8, 0.2) or (0.6, 0.2, 0.2)."
        )
    if stratify is not None and groups is not None:
        raise ValueError(
            "stratify and groups were both given; expected one. A group that may not be divided "
            "can't give each part its share of a class: split by groups, then count the classes."
        )
    order = torch.arange(count, device="cpu")
    if shuffle:
        luck = torch.Generator().manual_seed(seed)
        order = torch.randperm(count, generator=luck, device="cpu")
    # Rounding where the parts end, not how long they are: no example is lost or counted twice.
    ends = [round(count * math.fsum(fractions[:i])) for i in range(1, len(fractions))] + [count]
    if groups is not None:
        names = _names("groups", groups, count)
        order, ends = _by_group(names, order, ends)
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if min(sizes) <= 0:
        raise ValueError(
            f"fractions {fractions} leave a part of the {count} examples empty; give it a larger "
            f"share, or bring more {'examples' if groups is None else 'groups'}."
        )
    if stratify is not None:
        order = _by_class(_names("stratify", stratify, count), order, sizes)
    if shuffle or groups is not None or stratify is not None:
        X, y = (_trees.mapped(tree, lambda t: t[order.to(t.device)]) for tree in (X, y))
    starts = [0, *ends[:-1]]
    return [
        (_trees.mapped(X, lambda t: t[start:end]), _trees.mapped(y, lambda t: t[start:end]))  # noqa: B023  # called here
        for start, end in zip(starts, ends, strict=True)
    ]


class Batches:
    """Mini-batches that can be walked again and again; [batches][workflow.batches] makes them.

    Attributes:
        X: All features.
        y: All labels.
        batch_size: Examples in a batch; the last one may be shorter.
        shuffle: Whether each walk has a new order.
        generator: Draws the orders. Its state is all that a resumed run needs.
        drop_last: Whether a last batch that is shorter is left out.
    """

    def __init__(
        self,
        X: Tensors,
        y: Tensors,
        batch_size: int,
        shuffle: bool,
        generator: torch.Generator,
        drop_last: bool = False,
    ) -> None:
        self.X = X
        self.y = y
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator
        self.drop_last = drop_last

    def __len__(self) -> int:
        count = _trees.rows(self.X)
        return count // self.batch_size if self.drop_last else math.ceil(count / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        X, y, count = self.X, self.y, _trees.rows(self.X)
        if self.shuffle:
            # One permuted copy, then slices of it: far cheaper than collecting rows a batch.
            luck = self.generator
            order = torch.randperm(count, generator=luck, device=luck.device)
            X, y = (_trees.mapped(tree, lambda t: t[order.to(t.device)]) for tree in (X, y))
        if self.batch_size >= count:
            return iter([(X, y)])
        pairs = zip(_trees.cut(X, self.batch_size), _trees.cut(y, self.batch_size), strict=True)
        return islice(pairs, len(self))


def batches(
    X: Tensors,
    y: Tensors,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    drop_last: bool = False,
    seed: int = 0,
) -> Batches:
    """Cut data in memory into mini-batches, in a new order each epoch if you ask for it.

    Args:
        X: Features, one example a row; a tuple, list or dictionary of tensors for a model of
            several inputs.
        y: Labels, as many as `X` has rows.
        batch_size: Examples in a batch; the last batch may be shorter. None: all at once.
        shuffle: Mix the examples at the start of each walk.
        drop_last: Leave a shorter last batch out. BatchNorm can't learn from a batch of one.
        seed: Of the orders; the same seed gives the same ones.

    Returns:
        Pairs `(X, y)`, to be walked as often as you like.

    Raises:
        TypeError: `X` or `y` is not made of tensors, or `batch_size` not a whole number.
        ValueError: `X` and `y` differ in length, are empty or not finite, `batch_size` is less
            than 1, or `drop_last` leaves nothing.

    Examples:
        >>> data = batches(torch.zeros(5, 1), torch.zeros(5, 1), batch_size=2)
        >>> len(data), [len(X) for X, y in data]
        (3, [2, 2, 1])
    """
    _checks.rows(X, y)
    count = _trees.rows(X)
    size = count
    if batch_size is not None:
        size = _checks.whole_number("batch_size", batch_size, at_least=1)
    if drop_last and size > count:
        raise ValueError(
            f"batch_size is {size} and there are {count} examples; with drop_last=True no batch "
            "is left. Expected a batch_size up to the number of examples."
        )
    return Batches(X, y, size, shuffle, torch.Generator().manual_seed(seed), drop_last)


def to_tensor(data: Any, *, dtype: torch.dtype | None = None) -> Tensor:
    """Copy a list, an array or table columns into a tensor.

    Args:
        data: Numbers: nested lists, a NumPy array, a tensor, or anything with `to_numpy`, such
            as a pandas column, several of them, or a whole table.
        dtype: Of the result. None: fractions become float32, the dtype of PyTorch's layers;
            whole numbers stay whole, as class labels must, in the type they have: an image of
            bytes stays one.

    Returns:
        A tensor of the same shape, with its own memory. What a table or a masked array leaves
        open among fractions is NaN, for [split][workflow.split] to refuse.

    Raises:
        TypeError: Something in `data` is not a number; the message says what and where.
        ValueError: The rows differ in length, or a number would not survive in `dtype`: it is
            too large, or whole and would become another number, as 16777217 does in float32.

    Examples:
        >>> to_tensor([[1.5, 2], [3, 4]])
        tensor([[1.5000, 2.0000],
                [3.0000, 4.0000]])
    """
    if not (hasattr(data, "items") and len(getattr(data, "columns", ()))):
        return _converted(_read(data, "data"), dtype, "data", copy=True)
    # A table, column by column: read at once, one column of another kind would slow all down.
    columns = [(f"data[{name!r}].iloc", column) for name, column in data.items()]
    tensors = [(_read(column, place), place) for place, column in columns]
    if dtype is None:
        dtype = functools.reduce(torch.promote_types, (tensor.dtype for tensor, _ in tensors))
        dtype = torch.float32 if dtype.is_floating_point else dtype
    return torch.stack([_converted(t, dtype, place, copy=False) for t, place in tensors], dim=1)


def _names(argument: str, given: Any, count: int) -> list[Hashable]:
    """One name for each example, from a tensor, an array, a column or a list."""
    flat = given.flatten() if isinstance(given, Tensor) else given
    names = flat.tolist() if hasattr(flat, "tolist") else list(flat)
    if len(names) != count:
        raise ValueError(
            f"{argument} has {len(names)} entries for {count} examples; expected one for each, "
            "such as y itself or a column of the table."
        )
    return names


def _by_class(names: list[Hashable], order: Tensor, sizes: list[int]) -> Tensor:
    """The examples in an order that gives each part its share of each class."""
    members: dict[Hashable, list[int]] = {}
    for place, example in enumerate(order.tolist()):
        members.setdefault(names[example], []).append(place)
    part_of = torch.zeros_like(order)
    left = len(order)
    for part, size in enumerate(sizes):
        # Each class's share rounded down; the examples still missing go to the largest remainders.
        shares = {name: len(places) * size / left for name, places in members.items()}
        taken = {name: int(share) for name, share in shares.items()}
        by_remainder = sorted(shares, key=lambda name: taken[name] - shares[name])  # called here
        for name in by_remainder[: size - sum(taken.values())]:
            taken[name] += 1
        for name, places in members.items():
            part_of[places[: taken[name]]] = part
            del places[: taken[name]]
        left -= size
    return order[part_of.argsort(stable=True)]


def _by_group(names: list[Hashable], order: Tensor, ends: list[int]) -> tuple[Tensor, list[int]]:
    """The examples group by group, and the ends of parts moved to the nearest end of a group."""
    members: dict[Hashable, list[int]] = {}
    for example in order.tolist():
        members.setdefault(names[example], []).append(example)
    borders = [0, *accumulate(map(len, members.values()))]
    nearest = [min(borders, key=lambda border: abs(border - end)) for end in ends]  # called here
    return order.new_tensor([example for group in members.values() for example in group]), nearest


# NumPy's numbers by kind and size in bytes, each with the smallest type of torch that holds them.
_NUMPY = {"b1": "bool", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8"}
_NUMPY |= {"u2": "int32", "u4": "int64", "f2": "float16", "f4": "float32", "f8": "float64"}
_NUMPY |= {"f16": "float64"}


def _read(data: Any, where: str) -> Tensor:
    """Numbers as a tensor that may share their memory, or an error that names what is none."""
    if isinstance(data, Tensor):
        return data.detach()
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if isinstance(data, np.ma.MaskedArray):
        masked = data.tolist() if np.ma.is_masked(data) else data.data  # None where masked
        data = data.filled(math.nan) if _kind(data) == "f" else masked
    size = getattr(getattr(data, "dtype", None), "itemsize", 0)
    if name := _NUMPY.get(f"{_kind(data)}{size}"):
        array = np.asarray(data.astype(name, order="C", copy=False))
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    return _stack(_plain(data, where))


def _kind(value: Any) -> str:
    return str(getattr(getattr(value, "dtype", None), "kind", "O"))


def _plain(value: Any, where: str) -> Any:
    """Nested lists of plain numbers, or an error that names the first thing that is none."""
    if _kind(value) in {"m", "M"}:
        value = value.astype(str)  # tolist would make nanoseconds of dates
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    raise TypeError(
        f"{where} is {value!r} ({type(value).__name__}); expected a number that fits 64 bits. "
        f"{_remedy(value)} before to_tensor."
    )


def _remedy(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "Give a list of its numbers, or make one"
    if not isinstance(value, str):
        return "Fill or drop what is missing, and make numbers of dates and the like"
    if not value.strip():
        return "Nothing stands there: fill or drop what is missing"
    try:
        float(value)
    except ValueError:
        return "Give each category a number"
    return "It is a number written as text: make a number of it, as float does,"


def _stack(rows: Any) -> Tensor:
    try:
        fractions = torch.tensor(rows).is_floating_point()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"data is ragged ({error}); expected rows of one length. Pad the short ones or cut "
            "the long ones before to_tensor."
        ) from error
    return torch.tensor(rows, dtype=torch.float64 if fractions else None)


def _converted(tensor: Tensor, dtype: torch.dtype | None, where: str, *, copy: bool) -> Tensor:
    """The tensor in another dtype, or an error that names a number that would not survive."""
    if dtype is None and tensor.is_floating_point():
        dtype = torch.float32
    result = tensor.to(dtype or tensor.dtype, copy=copy)
    if _fits(tensor, result.dtype):
        return result
    lost = _lost(tensor, result)
    if lost.any():
        place = lost.nonzero()[0].tolist()
        raise ValueError(
            f"{where}{place or ''} is {tensor[tuple(place)].item()}; expected a number that fits "
            f"{dtype}. Leave dtype out, or fill and round before to_tensor; for large whole "
            "numbers, such as times, ask for dtype=torch.float64 and subtract what they share."
        )
    return result


def _fits(tensor: Tensor, dtype: torch.dtype) -> bool:
    """Whether a look at the smallest and the largest number says that all survive."""
    if tensor.dtype in (dtype, torch.bool) or dtype.is_complex or tensor.numel() == 0:
        return True
    if not dtype.is_floating_point:
        return False
    low, high = (end.item() for end in tensor.aminmax())  # a tensor would be rounded to compare
    limit = min(2 / torch.finfo(dtype).eps, torch.finfo(dtype).max)  # up to here, each whole number
    return -limit <= low and high <= limit


def _lost(tensor: Tensor, result: Tensor) -> Tensor:
    if not result.is_floating_point():
        return result != tensor
    if not tensor.is_floating_point():
        return result.to(tensor.dtype) != tensor
    # Fractions are rounded, as all are; of what is more than that, no unit may be lost. Beyond
    # 2**53 float64 itself has lost it.
    beyond = (tensor.abs() > 2 / torch.finfo(result.dtype).eps) & (tensor.abs() < 2**53)
    return (result.isinf() & ~tensor.isinf()) | (beyond & (result.double() != tensor))

"""Stage 1: turn what you have into tensors, divide it, and hand it out in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from workflow import _checks, _numbers
from workflow._checks import Pair


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
        y = y + noise * torch.randn(y.shape, generator=torch.Generator().manual_seed(seed))
    return X, y


def split(
    X: Tensor,
    y: Tensor,
    *,
    fractions: Sequence[float] = (0.8, 0.2),
    shuffle: bool = True,
    seed: int = 0,
) -> list[Pair]:
    """Divide examples into two or three parts; each example lands in exactly one.

    Args:
        X: Features, one example a row.
        y: Labels, as many as `X` has rows.
        fractions: The share of each part, in order: training and test, or training,
            validation and test. They sum to 1.
        shuffle: Mix the examples first. In order, the last part holds the last rows: on a
            sorted line it then tests extrapolation.
        seed: Of the shuffle; the same seed gives the same parts.

    Returns:
        One pair `(X, y)` a part.

    Raises:
        TypeError: `X` or `y` is not a tensor.
        ValueError: `X` and `y` differ in length, are empty or not finite, or the fractions
            don't sum to 1 or leave a part empty.

    Examples:
        >>> X, y = make_line()
        >>> train, test = split(X, y, fractions=(0.8, 0.2), shuffle=False)
        >>> len(train[0]), len(test[0])
        (40, 10)
    """
    _checks.pair(X, y)
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
    # Rounding where the parts end, not how long they are: no example is lost or counted twice.
    inner = [round(len(X) * math.fsum(fractions[:i])) for i in range(1, len(fractions))]
    starts, ends = [0, *inner], [*inner, len(X)]
    if any(start >= end for start, end in zip(starts, ends, strict=True)):
        raise ValueError(
            f"fractions {fractions} leave a part of the {len(X)} examples empty; "
            "give it a larger share, or bring more examples."
        )
    if shuffle:
        order = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed)).to(X.device)
        X, y = X[order], y[order]
    return [(X[start:end], y[start:end]) for start, end in zip(starts, ends, strict=True)]


class Batches:
    """Mini-batches that can be walked again and again; [batches][workflow.batches] makes them.

    Attributes:
        X: All features.
        y: All labels.
        batch_size: Examples in a batch; the last one may be shorter.
        shuffle: Whether each walk has a new order.
        generator: Draws the orders. Its state is all that a resumed run needs.
    """

    def __init__(
        self, X: Tensor, y: Tensor, batch_size: int, shuffle: bool, generator: torch.Generator
    ) -> None:
        self.X = X
        self.y = y
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator

    def __len__(self) -> int:
        return math.ceil(len(self.X) / self.batch_size)

    def __iter__(self) -> Iterator[Pair]:
        X, y = self.X, self.y
        if self.shuffle:
            # One permuted copy, then slices of it: far cheaper than collecting rows a batch.
            order = torch.randperm(len(X), generator=self.generator).to(X.device)
            X, y = X[order], y[order]
        if self.batch_size >= len(X):
            return iter([(X, y)])
        return zip(torch.split(X, self.batch_size), torch.split(y, self.batch_size), strict=True)


def batches(
    X: Tensor,
    y: Tensor,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    seed: int = 0,
) -> Batches:
    """Cut data in memory into mini-batches, in a new order each epoch if you ask for it.

    Args:
        X: Features, one example a row.
        y: Labels, as many as `X` has rows.
        batch_size: Examples in a batch; the last batch may be shorter. None: all at once.
        shuffle: Mix the examples at the start of each walk.
        seed: Of the orders; the same seed gives the same ones.

    Returns:
        Pairs `(X, y)`, to be walked as often as you like.

    Raises:
        TypeError: `X` or `y` is not a tensor, or `batch_size` not a whole number.
        ValueError: `X` and `y` differ in length, are empty or not finite, or `batch_size` is
            less than 1.

    Examples:
        >>> data = batches(torch.zeros(5, 1), torch.zeros(5, 1), batch_size=2)
        >>> len(data), [len(X) for X, y in data]
        (3, [2, 2, 1])
    """
    _checks.pair(X, y)
    if batch_size is not None:
        _checks.whole_number("batch_size", batch_size, at_least=1)
    size = len(X) if batch_size is None else batch_size
    return Batches(X, y, size, shuffle, torch.Generator().manual_seed(seed))


def to_tensor(data: Any, *, dtype: torch.dtype | None = None) -> Tensor:
    """Copy a list, an array or table columns into a tensor.

    Args:
        data: Numbers: nested lists, a NumPy array, a tensor, or anything with `to_numpy`, such
            as a pandas column, several of them, or a whole table.
        dtype: Of the result. None: fractions become float32, the dtype of PyTorch's layers;
            whole numbers stay whole, as class labels must.

    Returns:
        A tensor of the same shape, with its own memory.

    Raises:
        TypeError: Something in `data` is not a number; the message says what and where.
        ValueError: The rows differ in length, or a number would not survive in `dtype`.

    Examples:
        >>> to_tensor([[1.5, 2], [3, 4]])
        tensor([[1.5000, 2.0000],
                [3.0000, 4.0000]])
    """
    tensor = data.detach().clone() if isinstance(data, Tensor) else _numbers.read(data)
    if dtype is None and tensor.is_floating_point():
        dtype = torch.float32
    result = tensor.to(dtype)
    whole = not result.is_floating_point()
    lost = result != tensor if whole else result.isinf() & ~tensor.isinf()
    if lost.any():
        place = lost.nonzero()[0].tolist()
        raise ValueError(
            f"data{place or ''} is {tensor[tuple(place)].item()}; expected a number that fits "
            f"{dtype}. Leave dtype out, or fill and round before to_tensor."
        )
    return result

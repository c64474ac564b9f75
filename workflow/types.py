"""The types that signatures name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

# A tensor, or a tuple, list or dictionary of such, nested as you like: Python can't say it shorter.
Tensors = Any
Pair = tuple[Tensor, Tensor]
Batch = tuple[Tensors, Tensors]
Data = Batch | Iterable[Batch]
LossFunction = Callable[[Any, Any], Tensor]
Metric = Callable[[Any, Any], float]

"""Lists, arrays and table columns read as numbers, or an error that names what is none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# NumPy's kinds of numbers, each with one type that torch takes whatever the byte order or stride.
_KINDS = {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}


def read(data: Any) -> Tensor:
    if hasattr(data, "to_numpy"):
        data = data.to_numpy()
    if _kind(data) in _KINDS and data.dtype != "uint64":  # uint64 would wrap: one by one, then
        return torch.tensor(data.astype(_KINDS[_kind(data)]))
    return _stack(_plain(data, "data"))


def _kind(value: Any) -> str:
    return str(getattr(getattr(value, "dtype", None), "kind", "O"))


def _plain(value: Any, where: str) -> Any:
    """Nested lists of plain numbers, or an error that names the first thing that is none."""
    if _kind(value) in {"m", "M"}:
        value = value.astype(str)  # tolist would make nanoseconds of dates
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    raise TypeError(
        f"{where} is {value!r} ({type(value).__name__}); expected a number that fits 64 bits. "
        "Give each category a number, and fill or drop what is missing, before to_tensor."
    )


def _stack(rows: Any) -> Tensor:
    try:
        fractions = torch.tensor(rows).is_floating_point()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"data is ragged ({error}); expected rows of one length. Pad the short ones or cut "
            "the long ones before to_tensor."
        ) from error
    return torch.tensor(rows, dtype=torch.float64 if fractions else None)

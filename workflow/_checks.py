"""What the stages refuse, and the words they refuse it with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor]
Data = Pair | Iterable[Pair]
LossFunction = Callable[[Tensor, Tensor], Tensor]

_ELEMENTWISE = (
    nn.L1Loss,
    nn.MSELoss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
)


def whole_number(name: str, value: Any, *, at_least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is {value!r} ({type(value).__name__}); expected a whole number.")
    if value < at_least:
        raise ValueError(f"{name} is {value}; expected a whole number, {at_least} or more.")


def pair(X: Any, y: Any, name: str = "") -> None:
    """`X` and `y` are tensors of one length, with at least one example, all finite."""
    names = [f"{name}: X" if name else "X", f"{name}: y" if name else "y"]
    for label, tensor in zip(names, (X, y), strict=True):
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{label} is a {type(tensor).__name__}; expected a tensor. workflow.to_tensor "
                "makes one."
            )
        if tensor.ndim == 0 or len(tensor) == 0:
            raise ValueError(
                f"{label} has shape {tuple(tensor.shape)} and holds no example; expected at least "
                "one row."
            )
    if len(X) != len(y):
        raise ValueError(
            f"{names[0]} has {len(X)} examples and y has {len(y)}; expected one label for each. "
            "Were they cut or shuffled apart?"
        )
    if X.device != y.device:
        raise ValueError(
            f"{names[0]} is on {X.device} and y on {y.device}; expected one device. Move both: "
            "X.to(device), y.to(device)."
        )
    for label, tensor in zip(names, (X, y), strict=True):
        finite(label, tensor)


def finite(label: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point() or tensor.is_meta or torch.isfinite(tensor).all():
        return
    bad = (~torch.isfinite(tensor)).reshape(len(tensor), -1).any(dim=1)
    row = int(bad.nonzero()[0])
    raise ValueError(
        f"{label} holds NaN or infinity in {int(bad.sum())} of {len(tensor)} rows, first in row "
        f"{row}: {tensor[row].tolist()}; expected finite numbers. Fill or drop those rows."
    )


def features(model: nn.Module, X: Tensor, label: str = "X") -> None:
    """`X` has the dtype and the device of the model's parameters."""
    parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
    if parameter is None:
        return
    if X.device != parameter.device:
        raise ValueError(
            f"{label} is on {X.device} and the model on {parameter.device}; expected one device. "
            "Move both: model.to(device), X.to(device); fit does it when given device=."
        )
    looks_up_rows = any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in model.modules())
    if X.dtype != parameter.dtype and not (looks_up_rows and not X.is_floating_point()):
        raise TypeError(
            f"{label} is {X.dtype} and the model's parameters are {parameter.dtype}; expected one "
            f"dtype. Convert the data: X.to({parameter.dtype})."
        )


def batches(data: Any, name: str) -> Iterable[Pair]:
    """A pair of tensors as the one batch it is; other data as it came."""
    if (
        isinstance(data, tuple | list)
        and len(data) == 2
        and all(isinstance(t, Tensor) for t in data)
    ):
        return [(data[0], data[1])]
    if not isinstance(data, Iterable) or isinstance(data, Tensor):
        raise TypeError(
            f"{name} is a {type(data).__name__}; expected a pair of tensors (X, y), "
            "workflow.Batches, a DataLoader, or anything else that yields (X, y)."
        )
    return data


def moved(batch: Any, device: torch.device | str) -> Any:
    """A pair of tensors on the device; anything else as it is, for `walk` to name."""
    if isinstance(batch, tuple | list) and all(isinstance(t, Tensor) for t in batch):
        return type(batch)(t.to(device) for t in batch)
    return batch


def walk(model: nn.Module, data: Iterable[Pair], name: str) -> Iterator[Pair]:
    """Batch after batch, each checked before it is handed on; at least one."""
    empty = True
    for batch in data:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError(
                f"{name} yields a {type(batch).__name__}; expected pairs of tensors (X, y), one a "
                "batch. A single pair goes in as (X, y), and arrays through workflow.to_tensor."
            )
        X, y = batch
        pair(X, y, name)
        features(model, X, f"{name}: X")
        empty = False
        yield X, y
    if empty:
        raise ValueError(f"{name} holds no example; expected at least one batch (X, y).")


def metrics(given: Mapping[str, Any] | None, data: Any) -> None:
    if given and data is None:
        raise ValueError("metrics came without validation; expected data to measure them on.")
    if given and "loss" in given:
        raise ValueError('metrics has one named "loss"; expected another name: that is loss_fn.')


def shapes(loss_fn: LossFunction, y_pred: Tensor, y: Tensor) -> None:
    """Refuse shapes that differ and that torch would broadcast, with no more than a warning."""
    got, expected = tuple(y_pred.shape), tuple(y.shape)
    one_column_apart = got == (*expected, 1) or expected == (*got, 1)
    if one_column_apart or isinstance(loss_fn, _ELEMENTWISE):
        same_size = y_pred.numel() == y.numel()
        raise ValueError(
            f"y_pred has shape {got} and y {expected}; expected one shape. Broadcasting would "
            "compare every prediction with every label, and the model would learn their mean. "
            + (f"Use y.reshape{got}." if same_size else "Check the model's last layer.")
        )


def loss_inputs(loss_fn: LossFunction, y_pred: Tensor, y: Tensor) -> None:
    """Shapes, dtypes and ranges are what this loss function takes."""
    if y_pred.shape != y.shape:
        shapes(loss_fn, y_pred, y)
    if isinstance(loss_fn, nn.BCELoss) and not ((y_pred >= 0) & (y_pred <= 1)).all():
        raise ValueError(
            f"y_pred runs from {y_pred.min():.4g} to {y_pred.max():.4g}; BCELoss expected "
            "probabilities from 0 to 1. These look like logits: use nn.BCEWithLogitsLoss, or "
            "torch.sigmoid(y_pred)."
        )
    if isinstance(loss_fn, nn.BCELoss | nn.BCEWithLogitsLoss):
        if not y.is_floating_point():
            raise TypeError(f"y is {y.dtype}; {_name(loss_fn)} expected floats. Use y.float().")
        if not ((y >= 0) & (y <= 1)).all():
            raise ValueError(
                f"y runs from {y.min():.4g} to {y.max():.4g}; {_name(loss_fn)} expected labels "
                "from 0 to 1. For more than two classes use nn.CrossEntropyLoss."
            )
    if isinstance(loss_fn, nn.CrossEntropyLoss | nn.NLLLoss) and y_pred.shape != y.shape:
        _class_labels(loss_fn, y_pred, y)


def _class_labels(loss_fn: nn.CrossEntropyLoss | nn.NLLLoss, y_pred: Tensor, y: Tensor) -> None:
    if y.shape != y_pred.shape[:1] + y_pred.shape[2:]:
        raise ValueError(
            f"y_pred has shape {tuple(y_pred.shape)} and y {tuple(y.shape)}; {_name(loss_fn)} "
            "expected one class number an example. Use y.flatten(), or y.argmax(dim=1) of one-hot."
        )
    if y.dtype != torch.int64:
        raise TypeError(f"y is {y.dtype}; {_name(loss_fn)} expected class numbers. Use y.long().")
    classes = y_pred.shape[1]
    counted = y[y != loss_fn.ignore_index]
    if len(counted) and not (counted.min() >= 0 and counted.max() < classes):
        raise ValueError(
            f"y runs from {int(counted.min())} to {int(counted.max())} and the model has {classes} "
            f"outputs; {_name(loss_fn)} expected labels from 0 to {classes - 1}. Give the last "
            "layer one output a class, or number the classes from 0."
        )


def _name(loss_fn: LossFunction) -> str:
    return type(loss_fn).__name__

"""What the stages refuse, and the words they refuse it with."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from workflow import _trees
from workflow.types import Batch, LossFunction

# Losses that compare number with number, and would broadcast one shape against another.
_ELEMENTWISE_CLASSES = (
    nn.L1Loss,
    nn.MSELoss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
)
_ELEMENTWISE_FUNCTIONS = (
    nn.functional.l1_loss,
    nn.functional.mse_loss,
    nn.functional.smooth_l1_loss,
    nn.functional.huber_loss,
)

# What torch, and a forward method that is called wrongly, raise; nothing more special.
_FAILURES = (RuntimeError, TypeError, ValueError, IndexError)


def whole_number(name: str, value: Any, *, at_least: int) -> int:
    """The number as Python's int, from whatever counts as one: NumPy's and torch's too."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} is {value!r} ({type(value).__name__}); expected a whole number."
        ) from None
    if number < at_least:
        raise ValueError(f"{name} is {number}; expected a whole number, {at_least} or more.")
    return number


def tensors(label: str, tree: Any, *, waiting: bool = True) -> None:
    """There are tensors in it, with at least one row, all finite.

    Without `waiting`, numbers on an accelerator are taken on trust: to look would stop it.
    """
    held = list(_trees.leaves(tree))
    for leaf in held or [tree]:
        if not hasattr(leaf, "to"):
            raise TypeError(
                f"{label} {'is' if leaf is tree else 'holds'} a {type(leaf).__name__}; expected a "
                "tensor, or a tuple, list or dictionary of tensors. workflow.to_tensor makes one."
            )
        if isinstance(leaf, Tensor):
            if leaf.numel() == 0 or (leaf is tree and leaf.ndim == 0):
                raise ValueError(
                    f"{label} has shape {tuple(leaf.shape)} and holds no example; expected at "
                    "least one row."
                )
            if waiting or leaf.is_cpu:
                finite(label, leaf)


def rows(X: Any, y: Any) -> None:
    """`X` and `y` are tensors of one length, to be cut into rows."""
    for label, tree in (("X", X), ("y", y)):
        tensors(label, tree)
        for leaf in _trees.leaves(tree):
            if not isinstance(leaf, Tensor) or leaf.ndim == 0:
                raise TypeError(
                    f"{label} holds {_trees.described(leaf)}; expected tensors with a row an "
                    "example, which can be cut."
                )
            if len(leaf) != _trees.rows(X):
                raise ValueError(
                    f"X has {_trees.rows(X)} examples and {label} has {len(leaf)}; expected one "
                    "label for each. Were they cut or shuffled apart?"
                )


def finite(label: str, tensor: Tensor) -> None:
    if all_finite(tensor):
        return
    bad = (~torch.isfinite(tensor)).reshape(len(tensor), -1).any(dim=1)
    row = int(bad.nonzero()[0])
    numbers = tensor[row].tolist()
    shown = f"{numbers!r:.60}" + "…" * (len(repr(numbers)) > 60)
    raise ValueError(
        f"{label} holds NaN or infinity in {int(bad.sum())} of {len(tensor)} rows, first in row "
        f"{row}: {shown}; expected finite numbers. Fill or drop those rows."
    )


def all_finite(tensor: Tensor) -> bool:
    return math.isfinite(largest(tensor))


def largest(tensor: Tensor) -> float:
    """The largest absolute value, NaN where there is one, without a copy of the tensor's size."""
    if is_lazy(tensor) or tensor.is_meta or tensor.numel() == 0:
        return 0.0
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    if not tensor.is_floating_point():
        return 0.0
    try:
        return max(abs(float(end)) for end in tensor.detach().aminmax())
    except NotImplementedError:  # sparse, nested or of eight bits: taken on trust
        return 0.0


def batches(data: Any, name: str) -> Iterable[Batch]:
    """A pair as the one batch it is, since no batch is a bare tensor; other data as it came."""
    pair = isinstance(data, tuple | list) and len(data) == 2
    if pair and (isinstance(data[0], Tensor) or isinstance(data[1], Tensor)):
        return [(data[0], data[1])]
    # hasattr asks faster than isinstance(…, Iterable), which each epoch would pay for.
    if not hasattr(data, "__iter__") or isinstance(data, Tensor | dict | str):
        raise TypeError(
            f"{name} is a {type(data).__name__}; expected a pair of tensors (X, y), "
            "workflow.Batches, a DataLoader, or anything else that yields (X, y)."
        )
    walked: Iterable[Batch] = data
    return walked


def batch(given: Any, name: str, *, waiting: bool = True) -> Batch:
    """Two of tensors, or trees of such, as `tensors` wants them."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(
            f"{name} yields a {type(given).__name__}; expected pairs of tensors (X, y), one a "
            "batch. A single pair goes in as (X, y), and arrays through workflow.to_tensor."
        )
    tensors(f"{name}: X", given[0], waiting=waiting)
    tensors(f"{name}: y", given[1], waiting=waiting)
    return given[0], given[1]


def metrics(given: Mapping[str, Any] | None, data: Any) -> None:
    if given and data is None:
        raise ValueError("metrics came without validation; expected data to measure them on.")
    if given and "loss" in given:
        raise ValueError('metrics has one named "loss"; expected another name: that is loss_fn.')


def loss_function(loss_fn: Any) -> None:
    if isinstance(loss_fn, type) or not callable(loss_fn):
        name = loss_fn.__name__ if isinstance(loss_fn, type) else repr(loss_fn)
        raise TypeError(
            f"loss_fn is {'the class ' if isinstance(loss_fn, type) else ''}{name}; expected what "
            "takes predictions and labels, such as nn.MSELoss(), with the brackets that make it."
        )
    reduction = getattr(loss_fn, "reduction", "mean")
    if reduction in ("none", "sum"):
        raise ValueError(
            f"loss_fn has reduction={reduction!r}; expected 'mean': the loss of many batches is "
            "made of their means. Make the loss without reduction=."
        )


def one_number(loss: Any) -> Tensor:
    """What a loss function returned, if it is a loss."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        what = _trees.described(loss)
        raise TypeError(
            f"loss_fn returned {what}; expected a tensor of one number. Take the mean: .mean()."
        )
    return loss


def shapes(loss_fn: LossFunction, y_pred: Any, y: Any) -> None:
    """Refuse shapes that differ where torch's loss would broadcast, with no more than a warning."""
    if not isinstance(y_pred, Tensor) or not isinstance(y, Tensor) or y_pred.shape == y.shape:
        return
    if isinstance(loss_fn, _ELEMENTWISE_CLASSES) or loss_fn in _ELEMENTWISE_FUNCTIONS:
        got, expected = tuple(y_pred.shape), tuple(y.shape)
        if len(got) == len(expected) > 0 and got[1:] == expected[1:]:
            raise ValueError(
                f"y_pred has shape {got} and y {expected}; expected one label for each "
                "prediction. Were X and y cut or shuffled apart?"
            )
        raise ValueError(
            f"y_pred has shape {got} and y {expected}; expected one shape. Broadcasting would "
            "compare every prediction with every label, and the model would learn their mean. "
            + (
                f"Use y.reshape{got}."
                if y_pred.numel() == y.numel()
                else "Check the model's last layer."
            )
        )


def loss_inputs(loss_fn: LossFunction, y_pred: Any, y: Any) -> None:
    """Shapes, dtypes and ranges are what this loss function of torch's takes."""
    shapes(loss_fn, y_pred, y)
    if not isinstance(y_pred, Tensor) or not isinstance(y, Tensor):
        return
    if isinstance(loss_fn, nn.BCELoss) and not ((y_pred >= 0) & (y_pred <= 1)).all():
        raise ValueError(
            f"y_pred runs from {y_pred.min():.4g} to {y_pred.max():.4g}; BCELoss expected "
            "probabilities from 0 to 1. These look like logits: use nn.BCEWithLogitsLoss, or "
            "torch.sigmoid(y_pred)."
        )
    if isinstance(loss_fn, nn.CrossEntropyLoss | nn.NLLLoss) and y_pred.shape != y.shape:
        expected = y_pred.shape[:1] + y_pred.shape[2:] if y_pred.ndim > 1 else y_pred.shape[:0]
        if y.shape != expected:
            raise ValueError(
                f"y_pred has shape {tuple(y_pred.shape)} and y {tuple(y.shape)}; {_name(loss_fn)} "
                f"expected one class number an example, {tuple(expected)}. Use y.flatten(), or "
                "y.argmax(dim=1) of one-hot."
            )
    labels(loss_fn, y_pred, y)


def labels(loss_fn: LossFunction, y_pred: Any, y: Any) -> None:
    """Dtype and range of any labels are what this loss function takes beside such predictions."""
    if not isinstance(y_pred, Tensor) or not isinstance(y, Tensor):
        return
    if isinstance(loss_fn, nn.BCELoss | nn.BCEWithLogitsLoss):
        if not y.is_floating_point():
            raise TypeError(f"y is {y.dtype}; {_name(loss_fn)} expected floats. Use y.float().")
        if not ((y >= 0) & (y <= 1)).all():
            raise ValueError(
                f"y runs from {y.min():.4g} to {y.max():.4g}; {_name(loss_fn)} expected labels "
                "from 0 to 1. For labels -1 and 1 use (y + 1) / 2; for more than two classes "
                "nn.CrossEntropyLoss."
            )
    if isinstance(loss_fn, nn.CrossEntropyLoss | nn.NLLLoss) and y.ndim < y_pred.ndim:
        if y.dtype not in (torch.int64, torch.uint8):
            raise TypeError(
                f"y is {y.dtype}; {_name(loss_fn)} expected class numbers. Use y.long()."
            )
        classes = y_pred.shape[1 if y_pred.ndim > 1 else 0]
        counted = y[y != loss_fn.ignore_index]
        if not len(counted):
            return
        if counted.min() < 0 or counted.max() >= classes:
            raise ValueError(
                f"y runs from {int(counted.min())} to {int(counted.max())} and the model has "
                f"{classes} outputs; {_name(loss_fn)} expected labels from 0 to {classes - 1}. "
                "Give the last layer one output a class, or number the classes from 0."
            )


def failed(error: Exception, model: nn.Module, X: Any, label: str, y: Any = None) -> Exception:
    """What torch raised while the model or its loss worked on a batch, in words of ours.

    An error of a kind of its own, such as one for memory, is returned as it is.
    """
    if type(error) not in _FAILURES:
        return error
    parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
    leaf = next(_trees.leaves(X))
    said = str(error).lower()
    if parameter is not None and isinstance(leaf, Tensor) and y is None:
        if "device" in said and leaf.device != parameter.device:
            return ValueError(
                f"{label} is on {leaf.device} and the model on {parameter.device}; expected one "
                "device. Move both: model.to(device), X.to(device); fit does it when given device=."
            )
        if "indices" in said and leaf.is_floating_point():
            return TypeError(
                f"{label} is {leaf.dtype}, and the model looks rows up by number; expected whole "
                f"numbers. Convert the data: X.long(). torch says: {error}"
            )
        if "type" in said and leaf.dtype != parameter.dtype:
            return TypeError(
                f"{label} is {leaf.dtype} and the model's parameters are {parameter.dtype}; "
                f"expected one dtype. Convert the data: X.to({parameter.dtype}). torch says: "
                f"{error}"
            )
    holds = "no parameters" if parameter is None else f"{parameter.dtype} on {parameter.device}"
    what = f"the model ({holds}) can't take it"
    if y is not None:
        what = f"y is {_trees.described(y)}; the step with them failed"
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{label} is {_trees.described(X)}; {what}. torch says: {error}")


def predicted(model: nn.Module, X: Any, label: str) -> Any:
    """What the model returns for `X`, or an error that says why it can't."""
    try:
        return _trees.call(model, X)
    except _FAILURES as error:
        explained = failed(error, model, X, label)
        if explained is error:
            raise
        raise explained from error


def _name(loss_fn: LossFunction) -> str:
    return type(loss_fn).__name__

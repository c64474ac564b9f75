"""Stage 4: predict with a model, and say how good the predictions are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from workflow import _checks, _trees
from workflow.data import Batches
from workflow.runtime import eval_mode
from workflow.types import Batch, Data, LossFunction, Metric, Pair, Tensors

_SMALLER_IS_BETTER = {"loss", "error", "mae", "mse", "rmse"}
_LARGER_IS_BETTER = {"accuracy", "r2", "auc", "f1", "precision", "recall"}


def predict(
    model: nn.Module,
    X: Tensors | Iterable[Batch],
    *,
    batch_size: int | None = None,
    progress: bool = False,
) -> Any:
    """Predict for every row of `X`, leaving the model as it was.

    What comes back is an ordinary tensor: it may be learned from, as one model's predictions
    are by another. An inference tensor fails where backward has to keep it.

    Args:
        model: Asked in eval mode, then put back into the mode it came in, also after an error.
        X: Features on the model's device: a tensor, or a tuple, list or dictionary of tensors,
            which become the model's arguments. Or [Batches][workflow.Batches], taken in the
            order of their rows, a `DataLoader`, or another walk of batches, as they come; the
            labels are left aside.
        batch_size: How many rows to ask at a time, where all at once would not fit into
            memory. None: all at once, or the batches as they come.
        progress: Show a progress bar, a step a batch.

    Returns:
        What the model returns, without gradients: a tensor, or a tree of tensors.

    Raises:
        TypeError: `X` holds no tensors, or their dtype is not one that the model takes.
        ValueError: `X` is empty, not finite, on another device, or of a shape that the model
            doesn't take.

    Examples:
        >>> model = nn.Linear(1, 1)
        >>> predict(model, torch.zeros(3, 1)).shape
        torch.Size([3, 1])
        >>> predict(model, torch.zeros(1000, 1), batch_size=100).shape
        torch.Size([1000, 1])
    """
    size = None
    if batch_size is not None:
        size = _checks.whole_number("batch_size", batch_size, at_least=1)
    if isinstance(X, Batches):
        X, size = X.X, size or X.batch_size
    walked = isinstance(X, Iterable) and not hasattr(X, "to") and not isinstance(X, _TREES)
    if not walked:
        _checks.tensors("X", X)
    parts: Iterable[Any] = X if walked else [X]
    if size is not None and not walked:
        parts = _trees.cut(X, size)
    predictions = []
    with eval_mode(model), torch.no_grad():
        for part in tqdm(parts, disable=not progress, unit="batch"):
            if walked:
                part = part[0] if isinstance(part, tuple | list) and len(part) == 2 else part
                _checks.tensors("X", part)
            predictions.append(_checks.predicted(model, part, "X"))
    if not predictions:
        raise ValueError("X holds no batch; expected at least one.")
    return _trees.joined(predictions)


def evaluate(
    model: nn.Module,
    data: Data,
    *,
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Score a model on every example, leaving it as it was.

    Predictions are gathered before scoring, so the batch size cannot change the answer. Only
    where batches don't fit together, as texts of different lengths, is the loss the mean of the
    batches' losses, weighed as [train_epoch][workflow.train_epoch] weighs them.

    Args:
        model: Scored in eval mode, then put back into the mode it came in.
        data: A pair `(X, y)` or batches of pairs; at least one example.
        loss_fn: Takes predictions and labels, returns their mean loss.
        metrics: More scores by name; each takes predictions and labels and returns a number.

    Returns:
        `{"loss": …}` and one entry a metric.

    Raises:
        TypeError: A batch is not two of tensors, or not of a dtype that the model takes.
        ValueError: `data` holds no example or one that is not finite, shapes don't match, or
            labels are out of the range that `loss_fn` takes, or all ignored by it.

    Examples:
        >>> X = torch.arange(4.0).unsqueeze(1)
        >>> evaluate(nn.Identity(), (X, X + 1), loss_fn=nn.L1Loss())
        {'loss': 1.0}
    """
    _checks.metrics(metrics, data)
    _checks.loss_function(loss_fn)
    pairs = (_checks.batch(batch, "data") for batch in _checks.batches(data, "data"))
    loss, y_pred, y = scored(model, pairs, loss_fn, "data", look=True)
    return {"loss": loss} | measured(metrics, y_pred, y)


def scored(
    model: nn.Module, batches: Iterable[Batch], loss_fn: LossFunction, name: str, *, look: bool
) -> tuple[float, Tensors, Tensors]:
    """The loss, the predictions and the labels; both are None where batches don't fit together."""
    with eval_mode(model), torch.no_grad():
        pairs = [(_checks.predicted(model, X, f"{name}: X"), y) for X, y in batches]
        if not pairs:
            raise ValueError(f"{name} holds no example; expected at least one batch (X, y).")
        try:
            y_pred, y = _trees.joined(pairs)
        except (RuntimeError, TypeError):
            weights = [batch_weight(loss_fn, y) for _, y in pairs]
            losses = [_loss(loss_fn, y_pred, y, look=look) for y_pred, y in pairs]
            return mean_loss(losses, weights, name), None, None
        loss = _loss(loss_fn, y_pred, y, look=look).item()
    if math.isnan(loss) and not batch_weight(loss_fn, y):
        raise ValueError(_ALL_IGNORED.format(name))
    return loss, y_pred, y


def measured(metrics: Mapping[str, Metric] | None, y_pred: Any, y: Any) -> dict[str, float]:
    """Each metric of what `scored` gathered."""
    if metrics and y_pred is None:
        raise ValueError(
            "metrics need all predictions in one, and the batches' shapes differ beyond their "
            "first axis; expected batches that fit together. Pad them to one length."
        )
    with torch.no_grad():
        return {name: float(metric(y_pred, y)) for name, metric in (metrics or {}).items()}


def batch_weight(loss_fn: LossFunction, y: Any) -> float | Tensor:
    """What a batch's mean loss was divided by, up to a factor that all batches share."""
    labels = y if isinstance(y, Tensor) else next(_trees.leaves(y))
    if not isinstance(labels, Tensor):
        return 1.0
    if not isinstance(loss_fn, (nn.CrossEntropyLoss, nn.NLLLoss)) or labels.is_floating_point():
        return float(labels.numel())
    counted = labels != loss_fn.ignore_index
    weight = counted.sum()
    if loss_fn.weight is not None:
        weight = (loss_fn.weight[torch.where(counted, labels, 0).long()] * counted).sum()
    return float(weight) if weight.is_cpu else weight  # elsewhere, asking would make it wait


def mean_loss(losses: list[Tensor], weights: list[Any], name: str) -> float:
    """The mean over all labels, from the means of batches and what they were divided by."""
    if len(losses) == 1 and weights[0]:
        return losses[0].item()
    # One synchronisation an epoch: .item() after each batch would make a GPU wait every time.
    means: list[float] = torch.stack(losses).tolist()
    on_device = [weight for weight in weights if isinstance(weight, Tensor)]
    sizes: list[float] = torch.stack(on_device).tolist() if on_device else weights
    counted = [(mean, size) for mean, size in zip(means, sizes, strict=True) if size]
    if not counted:
        raise ValueError(_ALL_IGNORED.format(name))
    return sum(mean * size for mean, size in counted) / sum(sizes)


_ALL_IGNORED = (
    "{}: every label is the loss function's ignore_index; expected at least one that counts. Look "
    "at how the labels were made."
)
_TREES = (tuple, list, dict)


def _loss(loss_fn: LossFunction, y_pred: Any, y: Any, *, look: bool) -> Tensor:
    if look:
        _checks.loss_inputs(loss_fn, y_pred, y)
        return _checks.one_number(loss_fn(y_pred, y))
    return loss_fn(y_pred, y)


def mean_absolute_error(y_pred: Tensor, y: Tensor) -> float:
    """The mean distance between prediction and label, in the unit of the labels.

    Args:
        y_pred: Predictions.
        y: Labels, of the same shape.

    Returns:
        0 for perfect predictions, else more.

    Raises:
        ValueError: The shapes differ, or there is no example.

    Examples:
        >>> mean_absolute_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        1.0
    """
    y_pred, y = _comparable(y_pred, y)
    return (y_pred - y).abs().mean().item()


def mean_squared_error(y_pred: Tensor, y: Tensor) -> float:
    """The mean squared distance between prediction and label: large misses count most.

    Args:
        y_pred: Predictions.
        y: Labels, of the same shape.

    Returns:
        0 for perfect predictions, else more.

    Raises:
        ValueError: The shapes differ, or there is no example.

    Examples:
        >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        2.0
    """
    y_pred, y = _comparable(y_pred, y)
    return (y_pred - y).square().mean().item()


def r2_score(y_pred: Tensor, y: Tensor) -> float:
    """R²: the share of the labels' variance that the predictions explain.

    Predictions come first, as everywhere in PyTorch. scikit-learn has it the other way round, and
    R² is another number then: to be sure, name them, `r2_score(y_pred=…, y=…)`.

    Args:
        y_pred: Predictions.
        y: Labels, of the same shape; not all the same in any column.

    Returns:
        1 for perfect predictions, 0 for no better than the labels' mean, less for worse. Of
        several columns, the mean of each one's own R².

    Raises:
        ValueError: The shapes differ, there is no example, or all labels of a column are equal.

    Examples:
        >>> y = torch.tensor([1.0, 2.0, 3.0])
        >>> r2_score(y, y), r2_score(y.mean().expand(3), y)
        (1.0, 0.0)
    """
    y_pred, y = (t.reshape(len(t), -1) for t in _comparable(y_pred, y))
    constant = (y.amin(dim=0) == y.amax(dim=0)).nonzero()
    if len(constant):
        column = int(constant[0])
        where = "" if y.shape[1] == 1 else f", column {column}"
        raise ValueError(
            f"y{where} is {y[0, column].item():g} in all {len(y)} places; expected labels that "
            "vary: R² compares with their variance. Use mean_absolute_error."
        )
    missed, spread = (y_pred - y).square().sum(dim=0), (y - y.mean(dim=0)).square().sum(dim=0)
    return (1 - missed / spread).mean().item()


def accuracy(y_pred: Tensor, y: Tensor, *, ignore_index: int = -100) -> float:
    """The share of examples whose class is predicted right.

    Args:
        y_pred: Logits, `(n, classes)` or `(n, classes, …)`, where the largest wins; `(n,)` or
            `(n, 1)`, where more than 0 means class 1; or class numbers, as integers.
        y: True classes from 0, one a prediction.
        ignore_index: The label that isn't counted, as in torch's losses.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: The numbers of examples differ, none counts, a logit is NaN, or a label is
            no class number from 0.

    Examples:
        >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
        0.5
    """
    predicted, true = _classes(y_pred, y, ignore_index)
    return int((predicted == true).sum()) / len(true)


def confusion_matrix(y_pred: Tensor, y: Tensor, *, ignore_index: int = -100) -> Tensor:
    """Count how often each true class was predicted as each class.

    Args:
        y_pred: Logits or class numbers, as for [accuracy][workflow.accuracy].
        y: True classes from 0, one a prediction.
        ignore_index: The label that isn't counted, as in torch's losses.

    Returns:
        Whole numbers of shape `(classes, classes)`: row for the true class, column for the
        predicted one.

    Raises:
        ValueError: The numbers of examples differ, none counts, a logit is NaN, or a class is
            negative.

    Examples:
        >>> confusion_matrix(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
        tensor([[1, 1],
                [0, 1]])
    """
    predicted, true = _classes(y_pred, y, ignore_index)
    if (lowest := int(predicted.min())) < 0:
        raise ValueError(f"y_pred holds class {lowest}; expected 0 or more. Leave those rows out.")
    columns = y_pred.shape[1] if y_pred.is_floating_point() and y_pred.ndim > 1 else 0
    classes = max(2, columns, int(predicted.max()) + 1, int(true.max()) + 1)
    return torch.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, -1)


def larger_is_better(score: str) -> bool | None:
    """Whether more is better of a score of this name, or None where the name doesn't say.

    The last word counts: `validation_loss`, `l1_loss` and `test error` are losses and errors,
    `validation_accuracy` and `r2_score` are not.
    """
    words = re.findall(r"[a-z][a-z0-9]*", score.removesuffix("_score").lower())
    last = words[-1] if words else ""
    if last in _LARGER_IS_BETTER:
        return True
    return False if last in _SMALLER_IS_BETTER else None


def _comparable(y_pred: Tensor, y: Tensor) -> Pair:
    if y_pred.shape != y.shape or y.numel() == 0:
        raise ValueError(
            f"y_pred has shape {tuple(y_pred.shape)} and y {tuple(y.shape)}; expected one shape "
            "with at least one example. Reshape y like y_pred: y.reshape(y_pred.shape)."
        )
    if y_pred.is_floating_point() and y.is_floating_point():
        dtype = torch.promote_types(torch.result_type(y_pred, y), torch.float32)
        return y_pred.to(dtype), y.to(dtype)
    # Whole numbers such as times are too large for float32, and float64 isn't on every device.
    return y_pred.cpu().double(), y.cpu().double()


def class_numbers(y_pred: Tensor) -> Tensor:
    """Logits or class numbers, as class numbers."""
    if not y_pred.is_floating_point():
        return y_pred.flatten().long()
    if y_pred.isnan().any():
        raise ValueError(
            f"y_pred holds NaN in {int(y_pred.isnan().sum())} of {y_pred.numel()} places; expected "
            "logits, which have a largest. Did the training diverge?"
        )
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(dim=1).flatten()
    return (y_pred > 0).flatten().long()


def _classes(y_pred: Tensor, y: Tensor, ignore_index: int) -> Pair:
    predicted, labels = class_numbers(y_pred), y.flatten()
    true = labels.long()
    counted = true != ignore_index
    if len(predicted) != len(true) or not counted.any():
        raise ValueError(
            f"y_pred has shape {tuple(y_pred.shape)} and y {tuple(y.shape)}; expected one "
            "prediction, or one row of logits, for each of at least one label that counts."
        )
    wrong = labels[counted & ((true < 0) | (true != labels))]
    if len(wrong):
        raise ValueError(
            f"y holds {wrong[0].item():g}; expected class numbers, 0 or more. For labels -1 and 1 "
            "give (y > 0).long(); what is not to be counted, name as ignore_index."
        )
    return predicted[counted], true[counted]

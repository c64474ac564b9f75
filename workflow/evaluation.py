"""Stage 4: predict with a model, and say how good the predictions are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from workflow import _checks
from workflow._checks import Data, LossFunction, Pair
from workflow.runtime import eval_mode

Metric = Callable[[Tensor, Tensor], float]

_SMALLER_IS_BETTER = {"loss", "error", "mae", "mse", "rmse"}
_LARGER_IS_BETTER = {"accuracy", "r2", "auc", "f1", "precision", "recall"}


def predict(model: nn.Module, X: Tensor) -> Tensor:
    """Predict for every row of `X`, leaving the model as it was.

    Args:
        model: Asked in eval mode, then put back into the mode it came in, also after an error.
        X: Features, with the model's dtype and on its device.

    Returns:
        What the model returns, without gradients.

    Raises:
        TypeError: `X` is not a tensor, or its dtype is not the model's.
        ValueError: `X` is empty, not finite, or on another device.

    Examples:
        >>> model = nn.Linear(1, 1)
        >>> predict(model, torch.zeros(3, 1)).shape
        torch.Size([3, 1])
    """
    _checks.pair(X, X)
    _checks.features(model, X)
    with eval_mode(model), torch.inference_mode():
        return model(X)  # type: ignore[no-any-return]  # a module may return anything; these return tensors


def evaluate(
    model: nn.Module,
    data: Data,
    *,
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric] | None = None,
) -> dict[str, float]:
    """Score a model on every example, leaving it as it was.

    Predictions are gathered before scoring, so the batch size cannot change the answer.

    Args:
        model: Scored in eval mode, then put back into the mode it came in.
        data: A pair `(X, y)` or batches of pairs; at least one example.
        loss_fn: Takes predictions and labels, returns their loss.
        metrics: More scores by name; each takes predictions and labels and returns a number.

    Returns:
        `{"loss": …}` and one entry a metric.

    Raises:
        TypeError: A batch is not two tensors, or not of the model's dtype.
        ValueError: `data` holds no example or one that is not finite, shapes don't match, or
            labels are out of the range that `loss_fn` takes.

    Examples:
        >>> X = torch.arange(4.0).unsqueeze(1)
        >>> evaluate(nn.Identity(), (X, X + 1), loss_fn=nn.L1Loss())
        {'loss': 1.0}
    """
    _checks.metrics(metrics, data)
    pairs = _checks.walk(model, _checks.batches(data, "data"), "data")
    with eval_mode(model), torch.inference_mode():
        y_pred, y = _gather(model, pairs)
        _checks.loss_inputs(loss_fn, y_pred, y)
        return _score(y_pred, y, loss_fn, metrics)


def score_unchecked(
    model: nn.Module,
    batches: Iterable[Pair],
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric] | None,
) -> dict[str, float]:
    """What [evaluate][workflow.evaluate] does, for data that was checked before."""
    with eval_mode(model), torch.inference_mode():
        return _score(*_gather(model, batches), loss_fn, metrics)


def _gather(model: nn.Module, batches: Iterable[Pair]) -> Pair:
    pairs = [(model(X), y) for X, y in batches]
    if len(pairs) == 1:
        return pairs[0]
    y_pred, y = zip(*pairs, strict=True)
    return torch.cat(y_pred), torch.cat(y)


def _score(
    y_pred: Tensor, y: Tensor, loss_fn: LossFunction, metrics: Mapping[str, Metric] | None
) -> dict[str, float]:
    scores = {"loss": loss_fn(y_pred, y).item()}
    for name, metric in (metrics or {}).items():
        scores[name] = float(metric(y_pred, y))
    return scores


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

    Args:
        y_pred: Predictions.
        y: Labels, of the same shape; not all the same.

    Returns:
        1 for perfect predictions, 0 for no better than the labels' mean, less for worse.

    Raises:
        ValueError: The shapes differ, there is no example, or all labels are equal.

    Examples:
        >>> y = torch.tensor([1.0, 2.0, 3.0])
        >>> r2_score(y, y), r2_score(y.mean().expand(3), y)
        (1.0, 0.0)
    """
    y_pred, y = _comparable(y_pred, y)
    if y.min() == y.max():
        raise ValueError(
            f"y is {y.flatten()[0].item():g} in all {y.numel()} places; expected labels that vary: "
            "R² compares with their variance. Use mean_absolute_error."
        )
    return (1 - (y_pred - y).square().sum() / (y - y.mean()).square().sum()).item()


def accuracy(y_pred: Tensor, y: Tensor) -> float:
    """The share of examples whose class is predicted right.

    Args:
        y_pred: Logits, `(n, classes)`, where the largest wins; `(n,)` or `(n, 1)`, where more
            than 0 means class 1; or class numbers, as integers.
        y: True classes, one an example.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: The numbers of examples differ, or there is none.

    Examples:
        >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
        0.5
    """
    predicted, true = _classes(y_pred, y)
    return int((predicted == true).sum()) / len(true)


def confusion_matrix(y_pred: Tensor, y: Tensor) -> Tensor:
    """Count how often each true class was predicted as each class.

    Args:
        y_pred: Logits or class numbers, as for [accuracy][workflow.accuracy].
        y: True classes, one an example.

    Returns:
        Whole numbers of shape `(classes, classes)`: row for the true class, column for the
        predicted one.

    Raises:
        ValueError: The numbers of examples differ, there is none, or a class is negative.

    Examples:
        >>> confusion_matrix(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
        tensor([[1, 1],
                [0, 1]])
    """
    predicted, true = _classes(y_pred, y)
    if (lowest := int(min(predicted.min(), true.min()))) < 0:
        raise ValueError(
            f"y_pred or y holds class {lowest}; expected 0 or more. Leave those rows out."
        )
    columns = y_pred.shape[1] if y_pred.is_floating_point() and y_pred.ndim == 2 else 0
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
    dtype = torch.promote_types(torch.result_type(y_pred, y), torch.float32)  # ints have no mean
    return y_pred.to(dtype), y.to(dtype)


def class_numbers(y_pred: Tensor) -> Tensor:
    """Logits or class numbers, as class numbers."""
    if not y_pred.is_floating_point():
        return y_pred.flatten().long()
    if y_pred.ndim == 2 and y_pred.shape[1] > 1:
        return y_pred.argmax(dim=1)
    return (y_pred > 0).flatten().long()


def _classes(y_pred: Tensor, y: Tensor) -> Pair:
    predicted, true = class_numbers(y_pred), y.flatten().long()
    if len(predicted) != len(true) or len(true) == 0:
        raise ValueError(
            f"y_pred has shape {tuple(y_pred.shape)} and y {tuple(y.shape)}; expected one "
            "prediction, or one row of logits, for each of at least one label."
        )
    return predicted, true

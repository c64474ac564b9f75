"""Beside the stages: plots of data, predictions, training and experiments."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn

from workflow.evaluation import class_numbers, predict
from workflow.experiments import Result, ranked
from workflow.training import Epoch
from workflow.types import LossFunction, Pair

# Okabe and Ito's blue, green and vermilion, told apart by colour-blind eyes too; each at least
# 3:1 on white and on the dark ground of the site, and each with a mark of its own.
TRAINING = "#0072B2"
TEST = "#009E73"
PREDICTION = "#D55E00"
VALIDATION = "#AA4499"

_CLASS_MARKS = "os^Dvp*X"


def plot_predictions(
    train: Pair, test: Pair, predictions: Tensor | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw training data (blue dots), test data (green squares), predictions (red crosses).

    Args:
        train: `X` and `y` with one feature.
        test: `X` and `y` with one feature.
        predictions: For `test`'s `X`; None before there are any.
        ax: Where to draw. None: on a new figure.

    Returns:
        The axes drawn on.

    Raises:
        ValueError: There is more than one feature, or not one label or prediction for each x.

    Examples:
        >>> from workflow import make_line, split
        >>> train, test = split(*make_line(), shuffle=False)
        >>> plot_predictions(train, test).get_xlabel()
        'x'
    """
    sets = [("training data", train, TRAINING, "o"), ("test data", test, TEST, "s")]
    if predictions is not None:
        sets.append(("predictions", (test[0], predictions), PREDICTION, "x"))
    points = [(label, *_line(*pair, label), colour, mark) for label, pair, colour, mark in sets]
    ax = ax or _new_axes()
    for label, x, y, colour, mark in points:
        ax.scatter(x, y, c=colour, marker=mark, s=22, label=label)
    ax.set(xlabel="x", ylabel="y")
    ax.legend()
    return ax


def plot_history(history: Sequence[Epoch], *, log: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the loss curves: training in blue, validation in purple and dashed.

    Args:
        history: From [fit][workflow.fit].
        log: A logarithmic loss axis, to see small losses.
        ax: Where to draw. None: on a new figure.

    Returns:
        The axes drawn on.

    Raises:
        ValueError: `history` is empty.

    Examples:
        >>> history = [Epoch(0, 0.5, 0.6, {}, 0.1), Epoch(1, 0.3, 0.5, {}, 0.1)]
        >>> [line.get_label() for line in plot_history(history).lines]
        ['training loss', 'validation loss']
    """
    if not history:
        raise ValueError("history is empty; expected at least one epoch, as fit returns.")
    ax = ax or _new_axes()
    numbers = [epoch.number for epoch in history]
    mark = "." if len(history) == 1 else None  # a line of one point can't be seen
    ax.plot(
        numbers, [e.train_loss for e in history], c=TRAINING, marker=mark, label="training loss"
    )
    if history[0].validation_loss is not None:
        losses = [math.nan if e.validation_loss is None else e.validation_loss for e in history]
        ax.plot(numbers, losses, "--", c=VALIDATION, marker=mark, label="validation loss")
    ax.set(xlabel="epoch", ylabel="loss", yscale="log" if log else "linear")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax


def plot_loss_surface(
    X: Tensor,
    y: Tensor,
    *,
    loss_fn: LossFunction,
    path: Sequence[tuple[float | Tensor, float | Tensor]] = (),
    weights: tuple[float, float] = (-0.2, 1.6),
    bias: tuple[float, float] = (-0.3, 0.9),
    ax: Axes | None = None,
) -> Axes:
    """Draw the loss of every line `weight * X + bias` as contours, and an optimizer's way on it.

    Args:
        X: One feature.
        y: Labels, one for each `X`.
        loss_fn: Takes predictions and labels, returns their loss.
        path: The `(weight, bias)` pairs the optimizer came through.
        weights: The range of weights to draw.
        bias: The range of biases to draw.
        ax: Where to draw. None: on a new figure.

    Returns:
        The axes drawn on.

    Raises:
        ValueError: There is more than one feature, or not one label for each x.

    Examples:
        >>> from workflow import make_line
        >>> ax = plot_loss_surface(*make_line(), loss_fn=nn.L1Loss(), path=[(0.3, 0.1), (0.7, 0.3)])
        >>> ax.get_ylabel()
        'bias'
    """
    _line(X, y, "data")
    x, labels = X.detach().cpu().flatten(), y.detach().cpu().flatten()
    across, up = torch.linspace(*weights, 61), torch.linspace(*bias, 61)
    losses = [[loss_fn(w * x + b, labels).item() for w in across] for b in up]
    ax = ax or _new_axes()
    contours = ax.contour(across, up, losses, levels=14, colors="0.5", linewidths=0.8)
    ax.clabel(contours, list(contours.levels)[::3], colors=plt.rcParams["text.color"])
    if path:
        w, b = zip(*((torch.as_tensor(n).item() for n in point) for point in path), strict=True)
        ax.plot(w, b, "x-", c=PREDICTION, markersize=4, linewidth=1.2, label="optimizer's path")
        _legend_above(ax)
    ax.set(xlabel="weight", ylabel="bias", xlim=weights, ylim=bias)
    return ax


def plot_decision_boundary(
    model: nn.Module, X: Tensor, y: Tensor, *, ax: Axes | None = None
) -> Axes:
    """Draw which class a model would give each point of the plane, and the data on it.

    Args:
        model: A classifier of two features: logits of one column, or of one column a class.
        X: Two features.
        y: True classes, one for each row.
        ax: Where to draw. None: on a new figure.

    Returns:
        The axes drawn on.

    Raises:
        ValueError: `X` has not two features, or `y` another number of rows.

    Examples:
        >>> X, y = torch.randn(20, 2), torch.randint(2, (20,))
        >>> plot_decision_boundary(nn.Linear(2, 1), X, y).get_xlabel()
        'feature 0'
    """
    if X.ndim != 2 or X.shape[1] != 2 or y.numel() != len(X):
        raise ValueError(
            f"X has shape {tuple(X.shape)} and y {tuple(y.shape)}; expected X of shape (n, 2) and "
            "n labels. Choose two columns of X, and train a model on them."
        )
    points, labels = X.detach().cpu().float(), y.detach().cpu().flatten()
    low, high = points.amin(dim=0), points.amax(dim=0)
    margin = 0.1 * (high - low) + 1e-6
    left, bottom = (low - margin).tolist()
    right, top = (high + margin).tolist()
    across, up = torch.linspace(left, right, 200), torch.linspace(bottom, top, 200)
    plane = torch.cartesian_prod(up, across).flip(1)  # (200 * 200, 2), row by row of the picture
    classes = class_numbers(predict(model, plane.to(X))).cpu().reshape(200, 200)
    count = max(int(classes.max()), int(labels.max()), 1) + 1
    ax = ax or _new_axes()
    colours = plt.get_cmap("cividis")(torch.linspace(0.25, 0.95, count).numpy())
    around = (left, right, bottom, top)
    look: dict[str, Any] = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    ax.imshow(colours[classes.numpy()], extent=around, alpha=0.3, **look)
    for number, (colour, mark) in enumerate(zip(colours, cycle(_CLASS_MARKS), strict=False)):
        x0, x1 = points[labels == number].T
        # The grey edge is seen on every ground, whatever the class's colour.
        ax.scatter(x0, x1, color=colour, edgecolors="0.5", marker=mark, label=f"class {number}")
    ax.set(xlabel="feature 0", ylabel="feature 1")
    _legend_above(ax)
    return ax


def plot_results(
    results: Sequence[Result],
    *,
    by: str = "validation_loss",
    largest: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each configuration's scores, best on top: a triangle a seed, a line at their mean.

    Args:
        results: From [run][workflow.run].
        by: The score to draw.
        largest: Whether the largest is best. None: its name says so, as for an accuracy.
        ax: Where to draw. None: on a new figure.

    Returns:
        The axes drawn on.

    Raises:
        ValueError: `by` is a test score, no run has it, or its name doesn't say whether more
            is better.

    Examples:
        >>> results = [Result({"lr": 0.1}, 0, {"validation_loss": 0.2}, {}, None)]
        >>> plot_results(results).get_xlabel()
        'validation loss'
    """
    groups = ranked(results, by=by, largest=largest)[::-1]
    ax = ax or _new_axes()
    for height, group in enumerate(groups):
        numbers = [result.scores[by] for result in group if by in result.scores]
        ax.scatter(numbers, [height] * len(numbers), c=VALIDATION, marker="^", s=22)
        if numbers:
            ax.plot([statistics.fmean(numbers)] * 2, [height - 0.3, height + 0.3], c="0.5")
    names = [", ".join(f"{name}={value}" for name, value in g[0].config.items()) for g in groups]
    ax.set_yticks(range(len(groups)), names)
    ax.set_xlabel(by.replace("_", " "))
    return ax


def _new_axes() -> Axes:
    return plt.subplots(layout="constrained")[1]  # in the size and type the reader has set


def _legend_above(ax: Axes) -> None:
    """Where the plot fills its axes, a legend inside would hide some of it."""
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)


def _line(X: Tensor, y: Tensor, label: str) -> tuple[Any, Any]:
    """One feature and its labels as flat tensors that matplotlib can read."""
    if X.numel() != len(X) or y.numel() != len(X):
        raise ValueError(
            f"{label}: X has shape {tuple(X.shape)} and y {tuple(y.shape)}; expected one feature "
            "and one label in each row. Choose one column to draw: X[:, :1]."
        )
    # NumPy knows no bfloat16, and float64 holds what any other dtype does.
    return X.detach().cpu().flatten().double().numpy(), y.detach().cpu().flatten().double().numpy()

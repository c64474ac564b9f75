"""Beside the stages, plotting: what is drawn, where, and in colours that all can tell apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.markers import MarkerStyle
from torch import nn

from workflow import (
    Epoch,
    Result,
    make_line,
    plot_decision_boundary,
    plot_history,
    plot_loss_surface,
    plot_predictions,
    plot_results,
    split,
)
from workflow.plotting import PREDICTION, TEST, TRAINING, VALIDATION

Numbers = np.ndarray[Any, np.dtype[np.float64]]

TRAIN_PAIR, TEST_PAIR = split(*make_line(), shuffle=False)
PLANE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
CLASSES = torch.tensor([0, 1, 0, 1])
HISTORY = [Epoch(n, 1 / (n + 1), 2 / (n + 1), {}, 0.1) for n in range(5)]
RESULTS = [
    Result({"lr": lr}, seed, {"validation_loss": lr + seed}, {}, None)
    for lr in (0.3, 0.1)
    for seed in (0, 1)
]

PLOTS: dict[str, Callable[..., Axes]] = {
    "predictions": lambda **on: plot_predictions(TRAIN_PAIR, TEST_PAIR, TEST_PAIR[1], **on),
    "history": lambda **on: plot_history(HISTORY, **on),
    "loss surface": lambda **on: plot_loss_surface(*TRAIN_PAIR, loss_fn=nn.L1Loss(), **on),
    "boundary": lambda **on: plot_decision_boundary(nn.Linear(2, 1), PLANE, CLASSES, **on),
    "results": lambda **on: plot_results(RESULTS, **on),
}
every_plot = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    plt.close("all")
    yield
    plt.close("all")


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def points(ax: Axes) -> list[PathCollection]:
    return [drawn for drawn in ax.collections if isinstance(drawn, PathCollection)]


def face(drawn: PathCollection) -> tuple[float, float, float, float]:
    red, green, blue, alpha = np.asarray(drawn.get_facecolor())[0].tolist()
    return red, green, blue, alpha


def look(drawn: PathCollection) -> tuple[str, str]:
    """The colour and the mark of a set of points."""
    shape = drawn.get_paths()[0].vertices
    for mark in "os^Dvx":
        style = MarkerStyle(mark)
        if np.array_equal(shape, style.get_path().transformed(style.get_transform()).vertices):
            return to_hex(face(drawn)).upper(), mark
    raise AssertionError("a mark that this test doesn't know")


@every_plot
def test_a_plot_is_drawn_on_the_axes_given_and_returns_them(plot: Callable[..., Axes]) -> None:
    left, right = plt.subplots(1, 2)[1]
    assert plot(ax=right) is right
    assert right.has_data()
    assert not left.has_data()
    assert len(plt.get_fignums()) == 1


@every_plot
def test_without_axes_a_plot_makes_a_figure_of_its_own(plot: Callable[..., Axes]) -> None:
    first, second = plot(), plot()
    assert first.figure is not second.figure
    assert len(plt.get_fignums()) == 2


@every_plot
def test_a_plot_is_as_large_as_the_reader_has_set(plot: Callable[..., Axes]) -> None:
    with plt.rc_context({"figure.figsize": (5, 3.1)}):
        plot()
    assert plt.gcf().get_size_inches().tolist() == [5, 3.1]


@every_plot
def test_a_plot_is_never_shown_unasked(
    plot: Callable[..., Axes], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(plt, "show", lambda *_, **__: shown.append(True))
    plot()
    assert not shown


@every_plot
def test_a_plot_names_both_its_axes_and_keeps_its_words_inside(plot: Callable[..., Axes]) -> None:
    with plt.rc_context({"figure.figsize": (5, 3.1), "font.size": 11}):
        ax = plot()
    ax.figure.canvas.draw()
    edge = ax.figure.bbox
    box = ax.get_tightbbox()
    assert box is not None
    assert edge.x0 <= box.x0 + 1
    assert edge.y0 <= box.y0 + 1
    assert box.x1 <= edge.x1 + 1
    assert box.y1 <= edge.y1 + 1
    assert ax.get_xlabel()
    assert ax.get_ylabel() or len(ax.get_yticklabels()) == 2  # the results' rows say what they are


def test_training_test_and_predictions_have_their_colours_and_marks() -> None:
    X, y = TEST_PAIR
    ax = plot_predictions(TRAIN_PAIR, TEST_PAIR, y + 1)
    assert legend(ax) == ["training data", "test data", "predictions"]
    assert [look(drawn) for drawn in points(ax)] == [
        ("#0072B2", "o"),
        ("#009E73", "s"),
        ("#D55E00", "x"),
    ]
    for drawn, (x, height) in zip(points(ax), [TRAIN_PAIR, (X, y), (X, y + 1)], strict=True):
        assert np.array_equal(drawn.get_offsets(), torch.cat([x, height], dim=1))


def test_before_there_are_predictions_none_are_drawn() -> None:
    assert legend(plot_predictions(TRAIN_PAIR, TEST_PAIR)) == ["training data", "test data"]


def test_tensors_that_require_grad_can_be_drawn() -> None:
    X, y = (tensor.clone().requires_grad_() for tensor in TRAIN_PAIR)
    assert len(points(plot_predictions((X, y), (X, y), y * 2))) == 3
    path = [(torch.ones(1, requires_grad=True), torch.ones(1)), (torch.zeros(1), torch.zeros(1))]
    assert plot_loss_surface(X, y, loss_fn=nn.L1Loss(), path=path).lines
    plane = PLANE.clone().requires_grad_()
    assert len(points(plot_decision_boundary(nn.Linear(2, 1), plane, CLASSES.float()))) == 2


def test_the_loss_curves_are_drawn_by_epoch() -> None:
    ax = plot_history(HISTORY)
    training, validation = ax.lines
    assert legend(ax) == ["training loss", "validation loss"]
    assert [(line.get_color(), line.get_linestyle()) for line in ax.lines] == [
        (TRAINING, "-"),
        (VALIDATION, "--"),
    ]
    assert np.asarray(training.get_xydata()).tolist() == [[e.number, e.train_loss] for e in HISTORY]
    assert np.asarray(validation.get_ydata()).tolist() == [e.validation_loss for e in HISTORY]
    assert ax.get_yscale() == "linear"
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_the_loss_axis_is_logarithmic_where_asked() -> None:
    assert plot_history(HISTORY, log=True).get_yscale() == "log"


def test_without_validation_there_is_one_curve() -> None:
    history = [epoch._replace(validation_loss=None) for epoch in HISTORY]
    assert legend(plot_history(history)) == ["training loss"]


def test_a_single_epoch_can_be_seen() -> None:
    assert [line.get_marker() for line in plot_history(HISTORY[:1]).lines] == [".", "."]


def test_the_loss_surface_is_lowest_where_the_line_was_made() -> None:
    ax = plot_loss_surface(*make_line(), loss_fn=nn.L1Loss(), weights=(0, 2), bias=(-1, 1))
    [contours] = ax.collections
    innermost = next(path for path in contours.get_paths() if len(path))
    across, up = innermost.vertices.T  # type: ignore[union-attr]  # an array
    assert across.min() < 0.7 < across.max()
    assert up.min() < 0.3 < up.max()
    assert ax.get_xlim() == (0, 2)
    assert ax.get_ylim() == (-1, 1)
    assert legend(ax) == []


def test_the_optimizers_path_is_drawn_on_the_surface() -> None:
    ax = plot_loss_surface(*TRAIN_PAIR, loss_fn=nn.L1Loss(), path=[(0.25, 0.125), (0.5, 0.25)])
    [line] = ax.lines
    assert np.asarray(line.get_xydata()).tolist() == [[0.25, 0.125], [0.5, 0.25]]
    assert (line.get_color(), line.get_marker()) == (PREDICTION, "x")
    assert legend(ax) == ["optimizer's path"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_boundary_lies_where_the_model_has_it(dtype: torch.dtype) -> None:
    model = nn.Linear(2, 1, dtype=dtype)
    model.load_state_dict({"weight": torch.tensor([[1.0, 0.0]]), "bias": torch.tensor([-0.5])})
    ax = plot_decision_boundary(model, PLANE.to(dtype), CLASSES)
    picture = np.asarray(ax.images[0].get_array())  # a row is a height, a column an x
    assert (picture == picture[0]).all()
    assert (picture[0, :100] == picture[0, 0]).all()
    assert (picture[0, 100:] == picture[0, -1]).all()
    assert (picture[0, 0] != picture[0, -1]).any()
    left, right, bottom, top = ax.images[0].get_extent()
    assert left < 0 < 1 < right
    assert bottom < 0 < 1 < top


def test_what_the_model_has_above_is_drawn_above() -> None:
    model = nn.Linear(2, 1)
    model.load_state_dict({"weight": torch.tensor([[0.0, 1.0]]), "bias": torch.tensor([-0.5])})
    ax = plot_decision_boundary(model, PLANE, CLASSES)
    [image] = ax.images
    picture = np.asarray(image.get_array())
    assert image.origin == "lower"
    assert picture[0, 0].tolist() == list(face(points(ax)[0]))
    assert picture[-1, 0].tolist() == list(face(points(ax)[1]))


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_each_class_has_a_colour_and_a_place_in_the_legend(classes: int) -> None:
    X, y = torch.rand(90, 2), torch.arange(90) % classes
    ax = plot_decision_boundary(nn.Linear(2, classes), X, y)
    assert legend(ax) == [f"class {number}" for number in range(classes)]
    assert len({face(drawn) for drawn in points(ax)}) == classes
    for number, drawn in enumerate(points(ax)):
        assert np.array_equal(drawn.get_offsets(), X[y == number])


def test_drawing_a_boundary_leaves_the_model_in_its_mode() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Linear(2, 1))
    plot_decision_boundary(model, PLANE, CLASSES)
    assert all(module.training for module in model.modules())


def test_results_are_drawn_best_on_top_with_a_line_at_their_mean() -> None:
    ax = plot_results(RESULTS)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["lr=0.3", "lr=0.1"]
    assert [look(drawn) for drawn in points(ax)] == [(VALIDATION, "^")] * 2
    assert np.asarray(points(ax)[1].get_offsets()).tolist() == [[0.1, 1.0], [1.1, 1.0]]
    assert np.asarray(ax.lines[1].get_xdata()).tolist() == pytest.approx([0.6, 0.6])
    assert ax.get_xlabel() == "validation loss"


def test_a_configuration_whose_runs_all_failed_has_a_row_without_points() -> None:
    failed = Result({"lr": 10}, 0, {}, {}, "a loss became nan")
    ax = plot_results([*RESULTS, failed])
    assert ax.get_yticklabels()[0].get_text() == "lr=10"
    assert np.asarray(points(ax)[0].get_offsets()).size == 0
    assert len(ax.lines) == 2


def test_the_largest_score_is_on_top_where_it_is_the_best() -> None:
    ax = plot_results(RESULTS, largest=True)
    assert ax.get_yticklabels()[-1].get_text() == "lr=0.3"


TWO = torch.zeros(4, 2)
ONE = torch.zeros(4, 1)


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: plot_predictions((TWO, ONE), (ONE, ONE)), r"training data: X has shape \(4, 2\)"),
        (lambda: plot_predictions((ONE, ONE), (ONE, TWO)), r"test data: X .* and y \(4, 2\)"),
        (lambda: plot_predictions((ONE, ONE), (ONE, ONE), TWO[:3]), r"predictions: .*X\[:, :1\]"),
        (lambda: plot_history([]), r"history is empty; expected at least one epoch"),
        (lambda: plot_loss_surface(TWO, ONE, loss_fn=nn.L1Loss()), r"data: X has shape \(4, 2\)"),
        (
            lambda: plot_decision_boundary(nn.Linear(1, 1), ONE, ONE),
            r"X has shape \(4, 1\).*two col",
        ),
        (lambda: plot_decision_boundary(nn.Linear(2, 1), TWO, ONE[:3]), r"y \(3, 1\); expected X"),
        (
            lambda: plot_results(RESULTS, by="test_loss"),
            r"by is 'test_loss'; expected a validation",
        ),
        (lambda: plot_results([]), r"by is 'validation_loss', which no run has"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_there_is_a_figure(
    plot: Callable[[], Axes], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plot()
    assert not plt.get_fignums()


# Colours: contrast as in WCAG 2; what a colour-blind eye sees by Machado, Oliveira and Fernandes
# (2009), severity 1; differences as ΔE*ab of CIE 1976, in which about 2 can just be seen.

COLOURS = {"training": TRAINING, "test": TEST, "prediction": PREDICTION, "validation": VALIDATION}
GROUNDS = re.search(
    r"--ground: light-dark\((#\w{6}), (#\w{6})\)",
    (Path(__file__).parents[1] / "docs/assets/site.css").read_text(),
)
EYES = {
    "all cones": np.eye(3),
    "no red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> Numbers:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, ground: str) -> float:
    dark, light = sorted(float(XYZ[1] @ linear(c)) for c in (colour, ground))
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, eye: Numbers) -> Numbers:
    x, y, z = np.cbrt(XYZ @ np.clip(eye @ linear(colour), 0.01, 1) / XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_black_on_white_has_the_contrast_that_wcag_gives_it() -> None:
    assert contrast("black", "white") == pytest.approx(21)


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_each_colour_can_be_seen_on_every_ground(colour: str) -> None:
    assert GROUNDS is not None
    for ground in ("white", *GROUNDS.groups()):
        assert contrast(colour, ground) >= 3


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_training_test_and_prediction_are_told_apart_by_every_eye(eye: Numbers) -> None:
    for one, other in combinations((TRAINING, TEST, PREDICTION), 2):
        assert np.linalg.norm(seen(one, eye) - seen(other, eye)) > 30

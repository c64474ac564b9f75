"""Stage 4, evaluation: predictions and scores that leave the model as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from workflow import (
    MLP,
    LinearRegressionModel,
    accuracy,
    batches,
    confusion_matrix,
    evaluate,
    make_line,
    mean_absolute_error,
    mean_squared_error,
    predict,
    r2_score,
)
from workflow.evaluation import larger_is_better

L1 = nn.L1Loss()
X, Y = make_line()
CLASSES = torch.arange(6) % 3

Score = Callable[[nn.Module], object]
USES: list[Score] = [lambda m: predict(m, X), lambda m: evaluate(m, (X, Y), loss_fn=L1)]


class Asked(nn.Module):
    """Notes how it was asked, then predicts or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5), nn.BatchNorm1d(1))
        self.fails = fails

    def forward(self, x: Tensor) -> Tensor:
        self.modes = {module.training for module in self.modules()}
        self.grad_mode = torch.is_grad_enabled()
        if self.fails:
            raise KeyError("inside forward")
        return self.inner(x)  # type: ignore[no-any-return]


class Logits(nn.Module):
    """Predicts what it was made with, whatever it is asked."""

    def __init__(self, *shape: int, value: float = 0.0) -> None:
        super().__init__()
        self.logits = torch.full(shape, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits[: len(x)]


# predict and evaluate


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fails", [False, True])
def test_each_module_is_put_back_into_its_own_mode(use: Score, fails: bool) -> None:
    model = Asked(fails=fails)
    model.train()
    model.inner[2].eval()  # a frozen layer in a model that trains
    modes = [module.training for module in model.modules()]
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if fails:
        with pytest.raises(KeyError):
            use(model)
    else:
        use(model)
    assert model.modes == {False}
    assert model.grad_mode is False
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_predictions_are_the_models_without_gradients() -> None:
    model = LinearRegressionModel()
    predictions = predict(model, X)
    assert not predictions.requires_grad
    assert torch.equal(predictions, model(X).detach())


def ways(n: int) -> Iterable[Any]:
    yield batches(X, Y, batch_size=n)
    yield batches(X, Y, batch_size=n, shuffle=True)
    yield DataLoader(TensorDataset(X, Y), batch_size=n)
    yield list(batches(X, Y, batch_size=n))
    yield iter(batches(X, Y, batch_size=n))  # walked once, so once is enough


@given(n=st.integers(1, 60), seed=st.integers(0, 9))
def test_the_batch_size_cannot_change_the_answer(n: int, seed: int) -> None:
    torch.manual_seed(seed)
    model = MLP(1, 8, 1)
    metrics = {"r2": r2_score, "worst": lambda y_pred, y: (y_pred - y).abs().max()}
    expected = evaluate(model, (X, Y), loss_fn=nn.MSELoss(), metrics=metrics)
    assert list(expected) == ["loss", "r2", "worst"]
    for data in ways(n):
        scores = evaluate(model, data, loss_fn=nn.MSELoss(), metrics=metrics)
        assert scores == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_the_loss_is_the_one_of_the_loss_function_on_all_data() -> None:
    model = LinearRegressionModel()
    scores = evaluate(model, (X, Y), loss_fn=L1, metrics={"mae": mean_absolute_error})
    assert scores["loss"] == scores["mae"] == L1(model(X), Y).item()


def test_whole_numbers_may_go_into_an_embedding() -> None:
    model = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 1))
    assert predict(model, CLASSES).shape == (6, 1)


def test_one_column_of_logits_makes_a_matrix_of_two_classes() -> None:
    assert confusion_matrix(-torch.ones(3, 1), torch.zeros(3)).tolist() == [[3, 0], [0, 0]]


def test_a_model_without_parameters_may_take_any_numbers() -> None:
    assert predict(nn.Flatten(), CLASSES.reshape(2, 3, 1)).shape == (2, 3)


LINE = LinearRegressionModel()
LAYER = nn.Linear(1, 1)
ON_META = nn.Linear(1, 1, device="meta")
BAD_FEATURES = [
    (
        LAYER,
        X.double(),
        TypeError,
        r"X is torch.float64 .*are torch.float32.*X.to\(torch.float32\)",
    ),
    (LAYER, X.long(), TypeError, r"X is torch.int64 .*parameters are torch.float32; expected one"),
    (nn.Embedding(3, 2), X, TypeError, r"X is torch.float32, and the model looks .*X.long\(\)"),
    (LAYER, X.repeat(1, 2), ValueError, r"X is torch.float32 \(50, 2\) on cpu; the model .torch.f"),
    (LAYER, (X, X), TypeError, r"X is .*; the model .* can't take it. torch says: .*argument"),
    (nn.Flatten(5), X, ValueError, r"X is .*; the model \(no parameters\) can't take it"),
    (LINE, X[:0], ValueError, r"X has shape \(0, 1\) and holds no example"),
    (LINE, X / 0, ValueError, r"X holds NaN or infinity in 50 of 50 rows.*Fill or drop"),
    (ON_META, X, ValueError, r"X is on cpu and the model on meta; expected one device. Move both"),
    (LAYER, X.to("meta"), ValueError, r"X is on meta and .* on cpu; expected one"),
    (
        LINE,
        [1.0],
        TypeError,
        r"X holds a float; expected a tensor, .* workflow.to_tensor makes one",
    ),
    (LINE, (), TypeError, r"X is a tuple; expected a tensor"),
]


@pytest.mark.parametrize(("model", "bad", "error", "message"), BAD_FEATURES)
def test_features_that_do_not_fit_the_model_are_refused(
    model: nn.Module, bad: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        predict(model, bad)
    with pytest.raises(error, match=f"data: {message}"):
        evaluate(model, [(bad, torch.ones(50, 1))], loss_fn=L1)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], ValueError, r"data holds no example; expected at least one batch \(X, y\)"),
        ((X, Y[:3]), ValueError, r"\(50, 1\) and y \(3, 1\); .*cut or shuffled apart"),
        ((X, Y * math.nan), ValueError, r"data: y holds NaN or infinity in 50 of 50 rows"),
        (X, TypeError, r"data is a Tensor; expected a pair of tensors"),
        (5, TypeError, r"data is a int; expected a pair of tensors"),
        ([X], TypeError, r"data yields a Tensor; expected pairs of tensors"),
        ((X.numpy(), Y.numpy()), TypeError, r"data yields a ndarray;.*workflow.to_tensor"),
        (DataLoader(TensorDataset(X)), TypeError, r"data yields a list; expected pairs of tensors"),
    ],
)
def test_data_that_cannot_be_scored_is_refused(
    data: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        evaluate(LINE, data, loss_fn=L1)


def test_a_metric_may_not_take_the_name_of_the_loss() -> None:
    with pytest.raises(ValueError, match=r'metrics has one named "loss"; expected another name'):
        evaluate(LINE, (X, Y), loss_fn=L1, metrics={"loss": r2_score})


@pytest.mark.parametrize("loss_fn", [nn.MSELoss(), nn.functional.mse_loss, nn.HuberLoss()])
def test_a_column_against_a_row_is_refused_where_torch_would_only_warn(loss_fn: Any) -> None:
    with pytest.raises(ValueError, match=r"y_pred has shape \(50, 1\) and y \(50,\).*learn their"):
        evaluate(LINE, (X, Y.flatten()), loss_fn=loss_fn)
    with pytest.raises(ValueError, match=r"Use y.reshape\(50,\)"):
        evaluate(nn.Flatten(0), (X, Y), loss_fn=loss_fn)


ROWS = torch.zeros(6, 1)
CROSS_ENTROPY, BCE, BCE_LOGITS = nn.CrossEntropyLoss(), nn.BCELoss(), nn.BCEWithLogitsLoss()
UP_TO_2 = r"expected labels from 0 to 2. Give the last layer one output a class"


@pytest.mark.parametrize(
    ("model", "y", "loss_fn", "error", "message"),
    [
        (Logits(6, 2), ROWS, L1, ValueError, r"y_pred has shape \(6, 2\).*Check the model's last"),
        (Logits(6, 1, value=3.0), ROWS, BCE, ValueError, r"from 3 to 3; .*BCEWithLogitsLoss"),
        (Logits(6, 1, value=-3.0), ROWS, BCE, ValueError, r"y_pred runs from -3 to -3; BCELoss"),
        (Logits(6, 1), ROWS.long(), BCE, TypeError, r"y is torch.int64; BCELoss.*Use y.float\(\)"),
        (Logits(6, 1), ROWS.long(), BCE_LOGITS, TypeError, r"BCEWithLogitsLoss expected floats"),
        (Logits(6, 1), ROWS + 2, BCE_LOGITS, ValueError, r"y runs from 2 to 2;.*CrossEntropyLoss"),
        (Logits(6, 1), ROWS - 1, BCE_LOGITS, ValueError, r"y runs from -1 to -1;.*from 0 to 1"),
        (Logits(6, 3), CLASSES + 1, CROSS_ENTROPY, ValueError, r"y runs from 1 to 3.*" + UP_TO_2),
        (Logits(6, 3), CLASSES - 1, CROSS_ENTROPY, ValueError, r"y runs from -1 to 1.*" + UP_TO_2),
        (Logits(6, 3), CLASSES + 1, nn.NLLLoss(), ValueError, r"NLLLoss " + UP_TO_2),
        (Logits(6, 3), CLASSES.float(), CROSS_ENTROPY, TypeError, r"torch.float32;.*y.long\(\)"),
        (Logits(6, 3), CLASSES.int(), CROSS_ENTROPY, TypeError, r"torch.int32; .*class numbers"),
        (Logits(6, 3), CLASSES[:, None], CROSS_ENTROPY, ValueError, r"y \(6, 1\);.*y.flatten\(\)"),
    ],
)
def test_labels_that_the_loss_cannot_take_are_refused(
    model: nn.Module, y: Tensor, loss_fn: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        evaluate(model, (ROWS, y), loss_fn=loss_fn)


@pytest.mark.parametrize(
    ("model", "y", "loss_fn", "loss"),
    [
        (Logits(6, 3), CLASSES, CROSS_ENTROPY, math.log(3)),
        (Logits(6, 3), torch.eye(3).repeat(2, 1), CROSS_ENTROPY, math.log(3)),
        (Logits(6, 3, value=-2.0), CLASSES, nn.NLLLoss(), 2.0),
        (Logits(6, 3, 2), CLASSES[:, None].expand(6, 2), CROSS_ENTROPY, math.log(3)),
        (Logits(6, 3), torch.tensor([0, 1, 2, -100, -100, 0]), CROSS_ENTROPY, math.log(3)),
        (Logits(6, 3), CLASSES + 1, nn.CrossEntropyLoss(ignore_index=3), math.log(3)),
        (Logits(6, 1), ROWS, BCE_LOGITS, math.log(2)),
        (Logits(6, 1, value=0.5), ROWS + 1, BCE, math.log(2)),
    ],
)
def test_labels_that_the_loss_takes_are_scored(
    model: nn.Module, y: Tensor, loss_fn: Any, loss: float
) -> None:
    assert evaluate(model, (ROWS, y), loss_fn=loss_fn)["loss"] == pytest.approx(loss)


def test_labels_that_are_all_ignored_are_refused() -> None:
    ignored = torch.full((6,), -100)
    with pytest.raises(ValueError, match=r"data: every label is the loss function's ignore_index"):
        evaluate(Logits(6, 3), (ROWS, ignored), loss_fn=CROSS_ENTROPY)


# metrics

NUMBERS = st.lists(st.tuples(*[st.integers(-999, 999)] * 2), min_size=1, max_size=30)
CLASS_PAIRS = st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=1, max_size=40)


def test_the_metrics_are_those_worked_out_by_hand() -> None:
    y_pred, y = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 3.0, 2.0])
    assert mean_absolute_error(y_pred, y) == pytest.approx(5 / 3)
    assert mean_squared_error(y_pred, y) == pytest.approx(17 / 3)
    assert r2_score(y_pred, y) == pytest.approx(1 - 17 / 2)


@given(NUMBERS)
def test_errors_are_symmetric_and_none_for_perfect_predictions(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = torch.tensor(pairs).T / 10
    for metric in (mean_absolute_error, mean_squared_error):
        assert metric(a, b) == metric(b, a) >= 0
        assert metric(a, a) == 0
    assert mean_squared_error(a, b) >= mean_absolute_error(a, b) ** 2 * (1 - 1e-5)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30).filter(lambda n: len(set(n)) > 1))
def test_r2_is_1_for_the_labels_0_for_their_mean_and_less_for_worse(labels: list[int]) -> None:
    y = torch.tensor(labels, dtype=torch.float32)
    assert r2_score(y, y) == 1
    assert r2_score(y.mean().expand_as(y), y) == pytest.approx(0, abs=1e-5)
    assert r2_score(y.mean().expand_as(y) + 10, y) < 0


def test_whole_numbers_have_errors_too() -> None:
    y_pred, y = torch.tensor([1, 2]), torch.tensor([1, 5])
    assert mean_absolute_error(y_pred, y) == 1.5
    assert mean_squared_error(y_pred, y) == 4.5
    assert r2_score(y_pred, y) == -0.125


@pytest.mark.parametrize("metric", [mean_absolute_error, mean_squared_error, r2_score])
@pytest.mark.parametrize("shape", [(50,), (49, 1), (0, 1)])
def test_errors_of_different_shapes_are_refused(metric: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"y_pred has shape .*expected one shape .*y.reshape"):
        metric(torch.zeros(0 if 0 in shape else 50, 1), torch.zeros(shape))


@pytest.mark.parametrize("value", [0.1, 0.3, 7.0])
def test_r2_of_labels_that_do_not_vary_is_refused(value: float) -> None:
    y = torch.full((3, 1), value)
    with pytest.raises(ValueError, match=rf"y is {value:g} in all 3 places; expected labels that"):
        r2_score(y + 1, y)


@pytest.mark.parametrize(
    ("y_pred", "y", "right"),
    [
        (torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), torch.tensor([0, 1, 1]), 2 / 3),
        (torch.tensor([-1.0, 2.0, 0.0, 0.1]), torch.tensor([0, 1, 1, 1]), 3 / 4),
        (torch.tensor([[-1.0], [2.0]]), torch.tensor([[0.0], [0.0]]), 1 / 2),
        (torch.tensor([[-1.0], [2.0]]), torch.tensor([0, 1]), 1.0),
        (torch.tensor([3, 1, 2]), torch.tensor([3, 2, 1]), 1 / 3),
        (torch.tensor([True, False]), torch.tensor([1, 0]), 1.0),
    ],
)
def test_accuracy_reads_logits_and_class_numbers(y_pred: Tensor, y: Tensor, right: float) -> None:
    assert accuracy(y_pred, y) == right


@given(CLASS_PAIRS)
def test_the_confusion_matrix_counts_every_example(pairs: list[tuple[int, int]]) -> None:
    predicted, true = torch.tensor(pairs).T
    matrix = confusion_matrix(predicted, true)
    assert matrix.sum() == len(pairs)
    assert matrix.trace().item() / len(pairs) == accuracy(predicted, true)
    assert torch.equal(matrix.T, confusion_matrix(true, predicted))
    for row, column in pairs:
        assert matrix[column, row] == pairs.count((row, column))


@pytest.mark.parametrize(
    ("y_pred", "y", "matrix"),
    [
        (torch.eye(3), torch.tensor([0, 0, 0]), [[1, 1, 1], [0, 0, 0], [0, 0, 0]]),
        (torch.eye(3)[:2], torch.tensor([0, 0]), [[1, 1, 0], [0, 0, 0], [0, 0, 0]]),
        (torch.tensor([0.5]), torch.tensor([0.0]), [[0, 1], [0, 0]]),
        (torch.tensor([0]), torch.tensor([0]), [[1, 0], [0, 0]]),
    ],
)
def test_the_confusion_matrix_has_a_row_for_classes_that_nothing_fell_into(
    y_pred: Tensor, y: Tensor, matrix: list[list[int]]
) -> None:
    assert confusion_matrix(y_pred, y).tolist() == matrix


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("y_pred", "y"),
    [
        (torch.zeros(4, 3), torch.zeros(3)),
        (torch.zeros(4, 3), torch.zeros(4, 3)),
        (torch.zeros(4), torch.zeros(5)),
        (torch.zeros(0), torch.zeros(0)),
    ],
)
def test_classes_without_one_label_each_are_refused(metric: Any, y_pred: Tensor, y: Tensor) -> None:
    with pytest.raises(ValueError, match=r"y_pred has shape .*one row of logits, for each"):
        metric(y_pred, y)


def test_a_negative_class_has_no_row_in_the_confusion_matrix() -> None:
    with pytest.raises(ValueError, match=r"holds class -1; expected 0 or more. Leave those rows"):
        confusion_matrix(torch.tensor([0, -1]), torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("score", "larger"),
    [
        ("loss", False),
        ("validation_loss", False),
        ("train_mae", False),
        ("mean_squared_error", False),
        ("accuracy", True),
        ("validation_accuracy", True),
        ("r2_score", True),
        ("validation_r2", True),
        ("macro F1", True),
        ("speed", None),
        ("lossless", None),
        ("", None),
    ],
)
def test_the_last_word_of_a_score_says_whether_more_is_better(
    score: str, larger: bool | None
) -> None:
    assert larger_is_better(score) is larger

"""Stage 2, models: the line, the layers, and what a summary says of any module."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from workflow import MLP, LinearRegressionModel, summary


def test_the_line_starts_from_the_seeds_numbers() -> None:
    torch.manual_seed(42)
    model = LinearRegressionModel()
    assert [name for name, _ in model.named_parameters()] == ["weights", "bias"]
    assert model.weights.item() == pytest.approx(0.3367, abs=5e-5)
    assert model.bias.item() == pytest.approx(0.1288, abs=5e-5)


def test_the_line_predicts_weights_times_x_plus_bias() -> None:
    model = LinearRegressionModel()
    model.load_state_dict({"weights": torch.tensor([2.0]), "bias": torch.tensor([1.0])})
    assert model(torch.tensor([[0.0], [3.0]])).tolist() == [[1.0], [7.0]]


@pytest.mark.parametrize(
    ("hidden", "shapes"),
    [
        (8, [(8, 2), (3, 8)]),
        ((8, 4), [(8, 2), (4, 8), (3, 4)]),
        ([8, 4], [(8, 2), (4, 8), (3, 4)]),
        ((), [(3, 2)]),
    ],
)
def test_an_mlp_has_one_linear_layer_a_width_and_one_to_end(
    hidden: Any, shapes: list[tuple[int, int]]
) -> None:
    model = MLP(2, hidden, 3)
    linear = [layer for layer in model.layers if isinstance(layer, nn.Linear)]
    assert [tuple(layer.weight.shape) for layer in linear] == shapes
    assert [type(layer) for layer in list(model.layers)[1::2]] == [nn.ReLU] * (len(shapes) - 1)
    assert model(torch.zeros(5, 2)).shape == (5, 3)


def test_an_mlp_predicts_what_its_layers_do_by_hand() -> None:
    model, x = MLP(2, 4, 1), torch.randn(5, 2)
    first, last = model.layers[0], model.layers[2]
    assert torch.equal(model(x), last(torch.relu(first(x))))
    assert (torch.cat([model(x), model(-x)]) != 0).all()  # no ReLU after the last layer


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ((0, 4, 1), ValueError, r"in_features is 0; expected a whole number, 1 or more"),
        ((1, (4, 0), 1), ValueError, r"hidden is 0; expected a whole number, 1 or more"),
        ((1, 4, -1), ValueError, r"out_features is -1"),
        ((1, 16.0, 1), TypeError, r"hidden is 16.0 \(float\); expected a whole number"),
        ((1, True, 1), TypeError, r"hidden is True \(bool\)"),
        (("1", 4, 1), TypeError, r"in_features is '1' \(str\)"),
    ],
)
def test_sizes_that_are_no_counts_are_refused(
    sizes: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        MLP(*sizes)


def test_a_summary_tells_what_learns_what_is_frozen_and_what_is_a_buffer() -> None:
    model = nn.Sequential(nn.Linear(30, 50), nn.BatchNorm1d(50))
    model[0].weight.requires_grad_(False)
    assert summary(model) == (
        "name                   shape     kind       count\n"
        "0.weight               (50, 30)  frozen     1,500\n"
        "0.bias                 (50,)     trainable     50\n"
        "1.weight               (50,)     trainable     50\n"
        "1.bias                 (50,)     trainable     50\n"
        "1.running_mean         (50,)     buffer        50\n"
        "1.running_var          (50,)     buffer        50\n"
        "1.num_batches_tracked  ()        buffer         1\n"
        "1,650 parameters, 150 trainable"
    )


def test_a_summary_counts_a_parameter_used_twice_once() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    assert summary(model).splitlines()[1:] == [
        "0.weight  (4, 4)  trainable     16",
        "16 parameters, 16 trainable",
    ]


def test_a_summary_leaves_open_what_a_lazy_layer_does_not_know() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(affine=False))
    assert summary(model).splitlines() == [
        "name                   shape          kind       count",
        "0.weight               not known yet  trainable      ?",
        "0.bias                 not known yet  trainable      ?",
        "1.running_mean         not known yet  buffer         ?",
        "1.running_var          not known yet  buffer         ?",
        "1.num_batches_tracked  ()             buffer         1",
        "0 parameters, 0 trainable",
    ]


def test_a_summary_of_nothing_says_so() -> None:
    assert summary(nn.ReLU()) == "name  shape  kind  count\n0 parameters, 0 trainable"

"""What the explorables compute, against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from explorable import call
from torch import nn
from torch_numbers import START

from workflow import LinearRegressionModel, make_line, split

X, y = (part.double() for part in split(*make_line(), shuffle=False)[0])
LOSSES = {"l1": nn.L1Loss(), "mse": nn.MSELoss()}
OPTIMIZERS: dict[str, Any] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9),
    "adam": torch.optim.Adam,
}


def both(
    loss: str, optimizer: str, lr: float, steps: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Take the steps in JavaScript and in torch: what was before each, and after the last."""
    model = LinearRegressionModel().double()
    with torch.no_grad():
        model.weights.fill_(START["weight"])
        model.bias.fill_(START["bias"])
    takes = OPTIMIZERS[optimizer](model.parameters(), lr=lr)
    expected: dict[str, list[float]] = {"weight": [], "bias": [], "loss": []}
    for _ in range(steps + 1):
        value = LOSSES[loss](model(X), y)
        expected["weight"].append(model.weights.item())
        expected["bias"].append(model.bias.item())
        expected["loss"].append(value.item())
        takes.zero_grad()
        value.backward()
        takes.step()
    given = {"loss": loss, "optimizer": optimizer, "lr": lr, "steps": steps} | START
    given |= {"X": X.flatten().tolist(), "y": y.flatten().tolist()}
    [found] = call("torch", "descend", [[given]])
    return found, expected


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("lr", [0.01, 0.1])
def test_a_thousand_steps_agree_with_torch(loss: str, optimizer: str, lr: float) -> None:
    found, expected = both(loss, optimizer, lr, steps=1000)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-5), name


@pytest.mark.parametrize(
    ("loss", "optimizer", "lr", "steps"),
    [
        ("mse", "sgd", 0.86, 1000),
        ("mse", "momentum", 1.6, 1000),
        ("mse", "adam", 1.0, 1000),
        ("l1", "momentum", 0.001, 1000),
        ("l1", "adam", 0.001, 1000),
        ("mse", "sgd", 0.865, 1000),  # from here on they diverge
        ("mse", "sgd", 10.0, 50),
        ("mse", "momentum", 1.8, 300),
    ],
)
def test_other_rates_agree_with_torch_as_well(
    loss: str, optimizer: str, lr: float, steps: int
) -> None:
    found, expected = both(loss, optimizer, lr, steps)
    for name, values in expected.items():
        # Relative for what diverges: float64 has 16 digits, however large the number.
        assert found[name] == pytest.approx(values, abs=1e-5, rel=1e-5), name


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_gradients_agree_with_torch(loss: str) -> None:
    places = [(0.3367, 0.1288), (0.7, 0.0), (-1.0, 2.0), (0.75, 0.29)]
    points = X.flatten().tolist(), y.flatten().tolist()
    measured = call("torch", "measure", [[loss, *place, *points] for place in places])
    for (weight, bias), found in zip(places, measured, strict=True):
        model = LinearRegressionModel().double()
        with torch.no_grad():
            model.weights.fill_(weight)
            model.bias.fill_(bias)
        value = LOSSES[loss](model(X), y)
        value.backward()
        assert model.weights.grad is not None
        assert model.bias.grad is not None
        expected = {
            "loss": value.item(),
            "weight": model.weights.grad.item(),
            "bias": model.bias.grad.item(),
        }
        assert found == pytest.approx(expected, abs=1e-5)

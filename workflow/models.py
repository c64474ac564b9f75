"""Stage 2: models small enough to read, and a summary of any model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from workflow import _checks, _tables


class LinearRegressionModel(nn.Module):
    """A straight line, `weights * x + bias`, with both numbers to be learned.

    Both start random: call `torch.manual_seed` right before, for the same start each time.

    Attributes:
        weights: The slope, a parameter of shape `(1,)`.
        bias: The height at x = 0, a parameter of shape `(1,)`.

    Examples:
        >>> _ = torch.manual_seed(42)
        >>> model = LinearRegressionModel()
        >>> model.weights.item(), model.bias.item()
        (0.33669036626815796, 0.12880940735340118)
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(1))
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x: Tensor) -> Tensor:
        """Predict `weights * x + bias` for each x."""
        return self.weights * x + self.bias  # (n, 1)


class MLP(nn.Module):
    """Linear layers with a ReLU between each two.

    Args:
        in_features: Columns of `X`.
        hidden: The width of each hidden layer; one number means one layer.
        out_features: Columns of the prediction: 1 for a number or a yes-or-no, one a class
            otherwise.

    Attributes:
        layers: The layers, in order.

    Raises:
        TypeError: A size is not a whole number.
        ValueError: A size is less than 1.

    Examples:
        >>> MLP(2, (16, 16), 3)(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """

    def __init__(self, in_features: int, hidden: int | Sequence[int], out_features: int) -> None:
        super().__init__()
        widths = list(hidden) if isinstance(hidden, Sequence) else [hidden]
        sizes = [in_features, *widths, out_features]
        names = ["in_features", *["hidden"] * len(widths), "out_features"]
        for name, size in zip(names, sizes, strict=True):
            _checks.whole_number(name, size, at_least=1)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])  # no ReLU after the last: outputs are any number

    def forward(self, x: Tensor) -> Tensor:
        """Send `x` through the layers: `(n, in_features)` in, `(n, out_features)` out."""
        return self.layers(x)  # type: ignore[no-any-return]  # Sequential returns what its last layer does


def summary(model: nn.Module) -> str:
    """List what a model holds: each parameter and buffer, its shape, whether it learns.

    Args:
        model: Any module; one whose lazy layers have not seen data yet too.

    Returns:
        A table as text, with the totals in its last line.

    Examples:
        >>> print(summary(MLP(1, 4, 1)))
        name             shape   kind       count
        layers.0.weight  (4, 1)  trainable      4
        layers.0.bias    (4,)    trainable      4
        layers.2.weight  (1, 4)  trainable      4
        layers.2.bias    (1,)    trainable      1
        13 parameters, 13 trainable
    """
    rows = [("name", "shape", "kind", "count")]
    for name, parameter in model.named_parameters():
        rows.append(_row(name, parameter, "trainable" if parameter.requires_grad else "frozen"))
    for name, buffer in model.named_buffers():
        rows.append(_row(name, buffer, "buffer"))
    known = [p for p in model.parameters() if not is_lazy(p)]
    total = sum(p.numel() for p in known)
    trainable = sum(p.numel() for p in known if p.requires_grad)
    table = _tables.as_text(rows, numeric=[3])
    return f"{table}\n{total:,} parameters, {trainable:,} trainable"


def _row(name: str, tensor: Tensor, kind: str) -> tuple[str, str, str, str]:
    if is_lazy(tensor):
        return name, "not known yet", kind, "?"
    return name, str(tuple(tensor.shape)), kind, f"{tensor.numel():,}"

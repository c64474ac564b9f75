"""The best weights of a run, kept as a copy while training goes on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from workflow import _contents
from workflow.checkpoints import read_checkpoint


class Best:
    """A copy of a model's weights at its lowest loss.

    A `state_dict` aliases the live weights, so keeping it would keep nothing: it changes with
    every step. Here the numbers are copied, into memory that is taken once.
    """

    def __init__(self, model: nn.Module) -> None:
        self.loss = math.inf
        self.epoch = -1
        state = {n: t for n, t in model.state_dict().items() if isinstance(t, Tensor)}
        self._names, self._live = list(state), list(state.values())
        self._marked = [tensor.clone() for tensor in self._live]
        self._best = [tensor.clone() for tensor in self._live]

    def mark(self) -> None:
        """Copy the weights as they are now: the next loss offered was measured from these."""
        _copy(self._live, self._marked)

    def keep(self, loss: float, epoch: int) -> None:
        """The marked weights are the best so far."""
        self.loss, self.epoch = loss, epoch
        self._best, self._marked = self._marked, self._best

    def restore(self) -> None:
        """Put the best weights back into the model."""
        _copy(self._best, self._live)

    def state_dict(self) -> dict[str, Any]:
        return dict(zip(self._names, self._best, strict=True))

    def resume(self, path: Path) -> None:
        """Go on from the best that an earlier part of the run left at `path`, if it left one."""
        if path.exists():
            contents = read_checkpoint(path)
            _contents.fits_model(contents["model"], self.state_dict(), path)
            _copy([contents["model"][name] for name in self._names], self._best)
            self.loss, self.epoch = contents["metadata"]["loss"], contents["metadata"]["epoch"]


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)

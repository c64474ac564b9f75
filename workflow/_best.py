"""The best weights of a run, kept as a copy while training goes on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from workflow.checkpoints import CheckpointError, fits_model, read_checkpoint, save


class Best:
    """A copy of a model's weights at its lowest loss.

    A `state_dict` aliases the live weights, so keeping it would keep nothing: it changes with
    every step. Here the numbers are copied, into memory that is taken once.
    """

    def __init__(self, model: nn.Module, *, scored_first: bool, every: int) -> None:
        """Look at every so many epochs, whose loss is of the weights they set out with, or end in.

        Args:
            model: Whose weights to keep.
            scored_first: A training loss is measured before the step, a validation loss after.
            every: Copying costs time; 1 misses none.
        """
        self.loss = math.inf
        self.epoch = -1
        self._scored_first = scored_first
        self._every = every
        self._state = model.state_dict()  # its tensors are the live ones
        state = {name: t for name, t in self._state.items() if isinstance(t, Tensor)}
        self._names, self._live = list(state), list(state.values())
        self._marked = [tensor.clone() for tensor in self._live]
        self._best = [tensor.clone() for tensor in self._live]

    def start_epoch(self, number: int) -> None:
        """Copy the weights that a training loss will be measured from."""
        if self._scored_first and number % self._every == 0:
            _copy(self._live, self._marked)

    def end_epoch(self, number: int, loss: float) -> bool:
        """Keep the weights of this loss if it is the lowest so far; say whether it is."""
        if loss >= self.loss or number % self._every:
            return False
        if not self._scored_first:
            _copy(self._live, self._marked)
        self.loss, self.epoch = loss, number
        self._best, self._marked = self._marked, self._best
        return True

    def restore(self) -> None:
        """Put the best weights back into the model."""
        _copy(self._best, self._live)

    def state_dict(self) -> dict[str, Any]:
        return self._state | dict(zip(self._names, self._best, strict=True))

    def save(self, path: Path) -> None:
        """Write the best weights, with what a resumed run has to know of them."""
        done = self.epoch if self._scored_first else self.epoch + 1
        save(path, self, epoch=done, metadata={"loss": self.loss, "epoch": self.epoch})

    def resume(self, path: Path) -> None:
        """Go on from the best that an earlier part of the run left at `path`, if it left one."""
        if path.exists():
            contents = read_checkpoint(path)
            fits_model(contents["model"], self.state_dict(), path)
            kept = contents["metadata"]
            if not {"loss", "epoch"} <= kept.keys():
                raise CheckpointError(
                    f"{path} holds no loss; expected the best weights that fit kept there. Move "
                    "the file, or give another folder."
                )
            _copy([contents["model"][name] for name in self._names], self._best)
            self.loss, self.epoch = kept["loss"], kept["epoch"]


def _copy(sources: list[Tensor], targets: list[Tensor]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)

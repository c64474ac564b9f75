"""Beside the stages: random numbers that repeat, the device to use, a mode to score in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global random numbers, on every device.

    Call it right before something random happens, such as building a model: later it comes
    too late.

    Args:
        seed: A whole number from 0 to 2³² − 1.

    Raises:
        ValueError: The seed is out of range, or not a whole number.

    Examples:
        >>> seed_everything(42)
        >>> torch.randn(1)
        tensor([0.3367])
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}; expected a whole number from 0 to {2**32 - 1}.")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def best_device() -> torch.device:
    """The accelerator of this machine (CUDA, MPS, XPU or another), else the CPU.

    Returns:
        A device for `fit`, `load`, or `.to(…)`.

    Examples:
        >>> best_device() in (torch.device("cpu"), torch.accelerator.current_accelerator())
        True
    """
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


class eval_mode:  # noqa: N801  # used like a function; a class enters faster than a generator
    """Eval mode inside; afterwards, also after an error, each module is in its own mode again."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.training = [module for module in model.modules() if module.training]

    def __enter__(self) -> None:
        self.model.eval()

    def __exit__(self, *error: object) -> None:
        for module in self.training:
            module.training = True


@contextmanager
def randomness_kept(*generators: torch.Generator) -> Iterator[None]:
    """Whatever is drawn inside, what is drawn afterwards is as if it had not been."""
    python, numpy = random.getstate(), np.random.get_state()
    states = [generator.get_state() for generator in generators]
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)

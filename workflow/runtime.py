"""Beside the stages: random numbers that repeat, the device to use, a mode to score in."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable

import numpy as np
import torch
from torch import nn


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global random numbers, on every device.

    Call it right before something random happens, such as building a model: later it comes
    too late.

    Args:
        seed: A whole number from 0 to 2³² − 1, of Python's, NumPy's or torch's kind.

    Raises:
        ValueError: The seed is out of range, or not a whole number.

    Examples:
        >>> seed_everything(42)
        >>> torch.randn(1)
        tensor([0.3367])
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**32:
        raise ValueError(f"seed is {seed!r}; expected a whole number from 0 to {2**32 - 1}.")
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


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
    """Eval mode inside; afterwards, also after an error, each module is in its own mode again.

    Both ways go through `train` and `eval`, never past them: layers such as LoRA's merge their
    weights in the one and take them apart in the other.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.modes = [(module, module.training) for module in model.modules()]

    def __enter__(self) -> None:
        self.model.eval()

    def __exit__(self, *error: object) -> None:
        for module, training in self.modes:  # a parent comes before its children
            if module.training != training:
                module.train(training)
                module.training = training


def random_state(*generators: torch.Generator) -> Callable[[], None]:
    """Note where all random numbers stand; the function returned puts them back there."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    states = [generator.get_state() for generator in generators]
    device = best_device()
    module = None if device.type == "cpu" else torch.get_device_module(device)
    beside = module.get_rng_state() if module else None

    def put_back() -> None:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        if module:
            module.set_rng_state(beside)

    return put_back

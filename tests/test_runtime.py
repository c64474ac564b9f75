"""Beside the stages, runtime: random numbers that repeat, and the device to use."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from workflow import best_device, seed_everything
from workflow.runtime import random_state


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(1).item()


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_a_seed_repeats_pythons_numpys_and_torchs_numbers(seed: int) -> None:
    seed_everything(seed)
    first = draw()
    second = draw()
    seed_everything(seed)
    again = draw()
    assert again == first
    assert all(a != b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", None])
def test_a_seed_out_of_range_is_refused_before_anything_is_seeded(seed: Any) -> None:
    seed_everything(3)
    expected = draw()
    seed_everything(3)
    with pytest.raises(ValueError, match=rf"seed is {seed!r}; expected a whole number from 0 to"):
        seed_everything(seed)
    assert draw() == expected


@pytest.mark.parametrize("accelerator", ["cuda", "mps", "xpu"])
def test_the_best_device_is_the_accelerator(
    accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = torch.device(accelerator)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: device)
    assert best_device() == device


def test_without_an_accelerator_the_best_device_is_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    assert best_device() == torch.device("cpu")


def test_where_random_numbers_stood_they_can_be_put_back() -> None:
    generator = torch.Generator().manual_seed(5)
    seed_everything(5)
    put_back = random_state(generator)
    expected = draw(), torch.rand(1, generator=generator)
    put_back()
    assert (draw(), torch.rand(1, generator=generator)) == expected


def test_an_accelerators_random_numbers_are_put_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Accelerator:
        state = 1

        def get_rng_state(self) -> int:
            return self.state

        def set_rng_state(self, state: int) -> None:
            self.state = state

    accelerator = Accelerator()
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(torch, "get_device_module", lambda device: accelerator)
    put_back = random_state()
    accelerator.state = 2
    put_back()
    assert accelerator.state == 1


@pytest.mark.parametrize("seed", [np.int64(3), torch.tensor(3), np.uint8(3)])
def test_a_seed_may_be_numpys_or_torchs(seed: Any) -> None:
    seed_everything(seed)
    numbers = draw()
    seed_everything(3)
    assert draw() == numbers

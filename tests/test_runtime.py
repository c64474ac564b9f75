"""Beside the stages, runtime: random numbers that repeat, and the device to use."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from workflow import best_device, seed_everything
from workflow.runtime import randomness_kept


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


@pytest.mark.parametrize("failing", [False, True])
def test_what_is_drawn_aside_changes_no_later_number_also_after_an_error(failing: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    seed_everything(5)
    expected = draw(), torch.rand(1, generator=generator)
    generator.manual_seed(5)
    seed_everything(5)
    try:
        with randomness_kept(generator):
            draw()
            torch.rand(1, generator=generator)
            if failing:
                raise KeyError
    except KeyError:
        assert failing
    assert (draw(), torch.rand(1, generator=generator)) == expected

"""Kill a process that saves, again and again: `python _saver.py FOLDER KILLS`.

Torch is imported once, and each process that is killed is a fork of this one. After each kill the
checkpoint is read back: all its numbers must be from one and the same save.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from workflow import load, save


class Numbers(nn.Module):
    """A model big enough that a kill falls into the writing of it too."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(30_000))


def save_for_ever(path: Path, first: int) -> None:
    model = Numbers()
    for number in itertools.count(first):
        nn.init.constant_(model.values, number)
        save(path, model, epoch=number)


def main(folder: Path, kills: int) -> None:
    torch.set_num_threads(1)  # forks don't inherit the threads of a pool
    path = folder / "run.pt"
    luck = random.Random(0)
    start = time.perf_counter()
    for _ in range(3):
        save(path, Numbers(), epoch=0)
    one_save = (time.perf_counter() - start) / 3
    epoch = cut_off = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            save_for_ever(path, epoch + 1)
        time.sleep(luck.uniform(0, min(3 * one_save, 0.1)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "the child ended by itself"
        model = Numbers()
        found = load(path, model).epoch
        assert found >= epoch, f"epoch {found} came after {epoch}"
        assert (model.values == found).all(), f"epoch {found} holds {model.values}"
        epoch = found
        left = len(list(folder.iterdir())) - 1
        assert left <= 1, f"{left} files are left, though each save removes what it finds"
        cut_off += left
    print(f"{kills} {epoch} {cut_off}")  # kills, saves that were finished, saves cut off in writing


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

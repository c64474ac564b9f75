"""Stage 6: keep a run on disk, and go on from there as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from workflow import _checks, _contents, _files
from workflow._contents import FORMAT, CheckpointError


class HasState(Protocol):
    """A module, or anything else whose `state_dict()` holds tensors by name."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors by name."""
        ...


class Checkpoint(NamedTuple):
    """What a checkpoint says besides the states it restored.

    Attributes:
        epoch: How many epochs were done; hand it to `fit` as `start`.
        metadata: What was given to `save`.
        versions: Of torch and of this package, when the file was written.
    """

    epoch: int
    metadata: dict[str, Any]
    versions: dict[str, str]


def save(
    path: str | Path,
    model: HasState,
    optimizer: Optimizer | None = None,
    *,
    scheduler: LRScheduler | None = None,
    generator: torch.Generator | None = None,
    epoch: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint; whatever stood at `path` stays whole until the new file is.

    The file is a plain dictionary: `torch.load(path)` reads it without this package.

    Args:
        path: The file to write. A folder that is not there yet is made.
        model: Its parameters and buffers are kept.
        optimizer: Its momentum, step counts and learning rates are kept.
        scheduler: Its place in the schedule is kept.
        generator: Of the shuffles, such as `Batches.generator`; its state is kept. The state of
            torch's global generators is always kept.
        epoch: How many epochs are done.
        metadata: Numbers, texts, lists and dictionaries of your own.

    Raises:
        CheckpointError: Something in it would not load again; nothing is written.
        TypeError: `epoch` is not a whole number.
        OSError: The file can't be written; the earlier one is untouched.

    Examples:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> save(f"{folder}/line.pt", nn.Linear(1, 1), epoch=3, metadata={"note": "first try"})
    """
    _checks.whole_number("epoch", epoch, at_least=0)
    path = Path(path)
    contents = {
        "format": FORMAT,
        "versions": {
            "torch": str(torch.__version__),
            "pytorch-workflow": version("pytorch-workflow"),
        },
        "epoch": epoch,
        "metadata": dict(metadata or {}),
        "model": model.state_dict(),
        "optimizer": _named_state(optimizer),
        "scheduler": _named_state(scheduler),
        "generator": None if generator is None else generator.get_state(),
        "random": _random_state(),
    }
    _files.replace(path, _contents.to_bytes(contents, path))


def load(
    path: str | Path,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    *,
    scheduler: LRScheduler | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Checkpoint:
    """Put a model, and what else is given, into the state a checkpoint holds.

    Everything is checked before anything is changed, and no code in the file is run. With an
    optimizer, the states of torch's global generators are restored too: the run goes on bit
    for bit.

    Args:
        path: A file that [save][workflow.save] wrote, on any device.
        model: Built as the saved one was; gets its parameters and buffers.
        optimizer: Made for `model`, of the class that was saved; gets its state and its lr.
        scheduler: Made for `optimizer`, of the class that was saved.
        generator: Of the shuffles, such as `Batches.generator`.
        device: Where to move the model. None: it stays where it is.

    Returns:
        The epoch, your metadata and the versions.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is cut off, is no checkpoint, is of a newer format, or doesn't fit
            the model, the optimizer or the scheduler.

    Examples:
        >>> import tempfile
        >>> path = f"{tempfile.mkdtemp()}/line.pt"
        >>> model = nn.Linear(1, 1)
        >>> save(path, model, epoch=3)
        >>> copy = nn.Linear(1, 1)
        >>> load(path, copy).epoch, torch.equal(copy.weight, model.weight)
        (3, True)
    """
    path = Path(path)
    contents = read_checkpoint(path)
    _contents.fits_model(contents["model"], model.state_dict(), path)
    for role, owner in (("optimizer", optimizer), ("scheduler", scheduler)):
        if owner is not None:
            _contents.fits_owner(contents[role], owner, role, path)
    if generator is not None and contents["generator"] is None:
        raise CheckpointError(
            f"{path} holds no generator state; expected one, saved with save(…, generator=…). "
            "Load without generator=, and the shuffles start anew."
        )
    if generator is not None:
        _set_generator(generator, contents["generator"], path)
    model.to(device)
    model.load_state_dict(contents["model"])
    if optimizer is not None:
        optimizer.load_state_dict(contents["optimizer"]["state"])
        _restore_random(contents["random"])
    if scheduler is not None:
        scheduler.load_state_dict(contents["scheduler"]["state"])
    return Checkpoint(contents["epoch"], contents["metadata"], contents["versions"])


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint's contents onto the CPU without touching any model.

    Args:
        path: A file that [save][workflow.save] wrote.

    Returns:
        The dictionary that `save` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is cut off, is no checkpoint, or is of a newer format.

    Examples:
        >>> import tempfile
        >>> path = f"{tempfile.mkdtemp()}/line.pt"
        >>> save(path, nn.Linear(1, 1), metadata={"lr": 0.1})
        >>> read_checkpoint(path)["metadata"]
        {'lr': 0.1}
    """
    if not Path(path).exists():
        raise FileNotFoundError(
            f"{path} does not exist; expected a file that save wrote. Working folder: {Path.cwd()}."
        )
    return _contents.from_file(Path(path))


def _named_state(owner: Optimizer | LRScheduler | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    return {"class": type(owner).__name__, "state": owner.state_dict()}


def _random_state() -> dict[str, Any]:
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        state[accelerator.type] = torch.get_device_module(accelerator).get_rng_state()
    return state


def _restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None and accelerator.type in state:
        torch.get_device_module(accelerator).set_rng_state(state[accelerator.type])


def _set_generator(generator: torch.Generator, state: Tensor, path: Path) -> None:
    try:
        generator.set_state(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} holds the state of another kind of generator than the one given, on "
            f"{generator.device}; expected the kind that was saved. Make it on that device."
        ) from error

"""Stage 6: keep a run on disk, and go on from there as if it had never stopped."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from workflow import _checks, _files

_FORMAT = 1
_FOLDER = 0x10  # among a zip entry's external attributes
_KEYS: dict[str, type | tuple[type, ...]] = {
    "epoch": int,
    "versions": dict,
    "metadata": dict,
    "model": dict,
    "optimizer": (dict, type(None)),
    "scheduler": (dict, type(None)),
    "generator": (Tensor, type(None)),
    "random": dict,
}
_PARTS = {"random": {"cpu"}, "optimizer": {"class", "state"}, "scheduler": {"class", "state"}}


class CheckpointError(ValueError):
    """The file is no checkpoint that can be used here; nothing was changed."""


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

    The file is a plain dictionary: `torch.load(path)` reads it without this package. A link is
    followed, and an earlier file's mode is kept. What a killed `save` left beside `path` is
    removed by the next (except on Windows).

    Args:
        path: The file to write. A folder that is not there yet is made.
        model: Its parameters and buffers are kept.
        optimizer: Its momentum, step counts and learning rates are kept, with the names of the
            parameters they belong to.
        scheduler: Its place in the schedule is kept.
        generator: Of the shuffles, such as `Batches.generator`; its state is kept. The state of
            torch's global generators is always kept.
        epoch: How many epochs are done.
        metadata: Numbers, texts, tensors, lists and dictionaries of your own. Named tuples, such
            as [Epoch][workflow.Epoch], become dictionaries.

    Raises:
        CheckpointError: Something in it would not load again; nothing is written.
        TypeError: `epoch` is not a whole number, or `metadata` no dictionary.
        ValueError: `path` names no file, or `epoch` is negative.
        OSError: The file can't be written; the earlier one is untouched.

    Examples:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> save(f"{folder}/line.pt", nn.Linear(1, 1), epoch=3, metadata={"note": "first try"})
    """
    if not Path(path).name:
        raise ValueError(f"path is {str(path)!r}; expected a file's name, such as runs/last.pt.")
    epoch = _checks.whole_number("epoch", epoch, at_least=0)
    if not isinstance(metadata, Mapping | None):
        raise TypeError(
            f"metadata is a {type(metadata).__name__}; expected a dictionary, such as "
            '{"note": "first try"}.'
        )
    path = Path(path)
    try:
        contents = {
            "format": _FORMAT,
            "versions": {
                "torch": str(torch.__version__),
                "pytorch-workflow": version("pytorch-workflow"),
            },
            "epoch": epoch,
            "metadata": _files.plain(dict(metadata or {}), np.generic),
            "model": model.state_dict(),
            "optimizer": _owner_state(optimizer, parameters=_parameters(optimizer, model)),
            "scheduler": _owner_state(scheduler),
            "generator": None if generator is None else generator.get_state(),
            "random": _random_state(),
        }
        with _files.replaced(path) as file:
            _write(contents, file)
    except (pickle.PickleError, AttributeError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} was not written: something in it would not load again ({_reason(error)}); "
            "expected tensors, numbers, texts, lists and dictionaries. Look at metadata first."
        ) from error


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

    All of it or nothing: names, shapes, dtypes, classes and the order of the optimizer's
    parameters are checked first, and where a state is refused later all the same, the others
    are put back. (Except where a module's own loading code, such as `set_extra_state`, raises:
    weights that were copied by then stay.) No code in the file is run. With an optimizer, the
    states of torch's global generators are restored too: the run goes on bit for bit.

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
            the model, the optimizer, the scheduler or the generator.
        ValueError: `device` can't be used here.

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
    _usable(device)
    contents = _read(path, mapped=True)
    put_back = _noted(model, optimizer, scheduler, generator)
    part = "model"
    try:
        own = model.state_dict()
        _fits_model(contents["model"], own, path)
        _has_memory(own, path)
        part = "scheduler"
        _fits_owner(contents["scheduler"], scheduler, "scheduler", path)
        part = "optimizer"
        _fits_owner(contents["optimizer"], optimizer, "optimizer", path)
        if optimizer is not None:
            _fits_parameters(contents["optimizer"], optimizer, model, path)
        part = "generator"
        if generator is not None:
            _holds_generator(contents, path)
            generator.set_state(contents["generator"])
        part = "scheduler"
        if scheduler is not None:
            scheduler.load_state_dict(contents["scheduler"]["state"])
        model.to(device)
        part = "optimizer"
        if optimizer is not None:
            optimizer.load_state_dict(contents["optimizer"]["state"])
            part = "random numbers"
            _set_random_state(contents["random"])
        part = "model"
        model.load_state_dict(contents["model"])
    except CheckpointError:
        raise
    except Exception as error:  # whatever a damaged state, or a class of the user's, ends in
        put_back()
        raise CheckpointError(
            f"{path}: its state of the {part} can't be put in place ({_reason(error)}); expected "
            f"what save wrote for the same kind of {part}. Make it as it was when it was saved, "
            "or go back to an earlier file."
        ) from error
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
    return _read(Path(path), mapped=False)


# What save writes


def _owner_state(owner: Optimizer | LRScheduler | None, **more: Any) -> dict[str, Any] | None:
    if owner is None:
        return None
    return {"class": _class_name(owner), "state": owner.state_dict(), **more}


def _class_name(owner: Optimizer | LRScheduler) -> str:
    """The class, with those of the schedulers that SequentialLR and ChainedScheduler hold."""
    parts = ", ".join(map(_class_name, getattr(owner, "_schedulers", ())))
    return type(owner).__name__ + (f"({parts})" if parts else "")


def _parameters(optimizer: Optimizer | None, model: HasState) -> list[str] | None:
    """The name and shape of each parameter in the optimizer's order, where they have names."""
    if optimizer is None or not isinstance(model, nn.Module):
        return None
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return [f"{names.get(id(p), 'a parameter of no name')} {tuple(p.shape)}" for p in held]


def _random_state() -> dict[str, Any]:
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        state[accelerator.type] = torch.get_device_module(accelerator).get_rng_state()
    return state


def _write(contents: dict[str, Any], file: IO[bytes]) -> None:
    """Write the file, and try it out: what `load` would refuse gets no name."""
    try:
        torch.save(contents, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # torch trips over its own half-written file
            raise error.__context__ from None
        raise
    file.seek(0)
    torch.load(file, map_location="meta", weights_only=True)


# What load checks


def _read(path: Path, *, mapped: bool) -> dict[str, Any]:
    """The contents, on the CPU, without running any code that the file may carry.

    Mapped, the tensors of the model are read when they are copied, straight from the file.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist; expected a file that save wrote. Working folder: {Path.cwd()}."
        )
    path.open("rb").close()  # what forbids to read it is no damage, and keeps its own words
    try:
        _check_archive(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of files that are refused all the same
            contents = torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
        _check_keys(contents, path)
        return _unmapped(contents) if mapped else contents
    except CheckpointError:
        raise
    except Exception as error:  # whatever it is that damage and malice end in
        raise CheckpointError(
            f"{path} can't be read ({_reason(error)}); expected a whole file that save wrote. "
            "It is cut off, damaged or of another kind. Nothing in it was run; go back to an "
            "earlier one."
        ) from error


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        # For an entry marked as a folder torch returns memory that was never written.
        entries = archive.infolist()
        marked = [e.filename for e in entries if e.external_attr & _FOLDER or e.compress_type]
        damaged = marked[0] if marked else archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum or a mark of {damaged} is wrong")


def _check_keys(contents: Any, path: Path) -> None:
    made_with = contents.get("format") if isinstance(contents, dict) else None
    if isinstance(made_with, int) and made_with > _FORMAT:
        raise CheckpointError(
            f"{path} has format {made_with}, this package reads up to {_FORMAT}; it was made by a "
            "newer version. Upgrade pytorch-workflow."
        )
    wrong = [
        key
        for key, kind in _KEYS.items()
        if made_with != _FORMAT or not isinstance(contents.get(key), kind) or key not in contents
    ]
    wrong = wrong or [key for key, parts in _PARTS.items() if _lacks(contents[key], parts)]
    if wrong:
        raise CheckpointError(
            f"{path} is no checkpoint of this package: {', '.join(wrong)} missing or of another "
            "type; expected a file that save wrote. For a bare state_dict use "
            "model.load_state_dict."
        )


def _lacks(value: dict[str, Any] | None, parts: set[str]) -> bool:
    return value is not None and not parts <= value.keys()


def _unmapped(contents: dict[str, Any]) -> dict[str, Any]:
    """All but the model's tensors in memory of its own: the file may go, the run goes on."""
    model = contents["model"]
    for name in model:
        if name.endswith("_extra_state") or not isinstance(model[name], Tensor):
            model[name] = copy.deepcopy(model[name])
    rest = {key: value for key, value in contents.items() if key != "model"}
    return copy.deepcopy(rest) | {"model": model}


def _fits_model(saved: dict[str, Any], own: dict[str, Any], path: Path) -> None:
    problems = [f"only in the file: {name}" for name in saved if name not in own]
    problems += [f"only in the model: {name}" for name in own if name not in saved]
    for name in saved.keys() & own.keys():
        if isinstance(own[name], Tensor) and not is_lazy(own[name]):
            there, here = _kind(saved[name]), _kind(own[name])
            if there != here:
                problems.append(f"{name}: {there} in the file, {here} in the model")
    if problems:
        raise CheckpointError(
            f"{path} doesn't fit the model; expected the same names, shapes and dtypes.\n  "
            + "\n  ".join(sorted(problems))
            + "\nBuild the model as it was when it was saved."
        )


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return type(value).__name__


def _has_memory(own: dict[str, Any], path: Path) -> None:
    empty = [name for name, value in own.items() if isinstance(value, Tensor) and value.is_meta]
    if empty:
        raise CheckpointError(
            f"{path} can't be loaded: {empty[0]} is on the meta device, where tensors have no "
            'memory; expected a real one. First make room: model.to_empty(device="cpu").'
        )


def _fits_owner(
    saved: dict[str, Any] | None, owner: Optimizer | LRScheduler | None, role: str, path: Path
) -> None:
    if owner is None:
        return
    name = _class_name(owner)
    if saved is None:
        raise CheckpointError(
            f"{path} holds no {role} state; expected one of {name}, saved with save(…, {role}). "
            f"Load without the {role} to use the model only."
        )
    if saved["class"] != name:
        raise CheckpointError(
            f"{path} holds the state of {saved['class']} as {role}, and {name} was given; "
            f"expected the same class. Make the {role} as it was when it was saved."
        )


def _fits_parameters(
    saved: dict[str, Any], optimizer: Optimizer, model: nn.Module, path: Path
) -> None:
    """The parameters are those that were saved, in the same order and groups."""
    groups = saved["state"]["param_groups"]
    there, here = ([len(g["params"]) for g in gs] for gs in (groups, optimizer.param_groups))
    if there != here:
        raise CheckpointError(
            f"{path} holds an optimizer of {there} parameters a group, and the one given has "
            f"{here}; expected the same. Give it the parameters it had when it was saved."
        )
    names, own = saved.get("parameters"), _parameters(optimizer, model) or []
    if names is not None and names != own:
        pairs = enumerate(zip_longest(names, own))
        number, (name, given) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
        raise CheckpointError(
            f"{path} holds an optimizer whose parameter {number} is {name}; in the one given it is "
            f"{given}. Expected the same order: give it the parameters as when it was saved."
        )


def _holds_generator(contents: dict[str, Any], path: Path) -> None:
    if contents["generator"] is None:
        raise CheckpointError(
            f"{path} holds no generator state; expected one, saved with save(…, generator=…). "
            "Load without generator=, and the shuffles start anew."
        )


def _usable(device: torch.device | str | None) -> None:
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f"device is {str(device)!r}, which can't be used here ({_reason(error)}); expected "
            "one that this machine has, such as workflow.best_device()."
        ) from error


def _noted(
    model: nn.Module,
    optimizer: Optimizer | None,
    scheduler: LRScheduler | None,
    generator: torch.Generator | None,
) -> Callable[[], None]:
    """Note all states but the weights; the function returned puts them back."""
    device = next((tensor.device for tensor in model.parameters()), None)
    optimizer_state = None if optimizer is None else optimizer.state_dict()
    scheduler_state = None if scheduler is None else scheduler.state_dict()
    generator_state = None if generator is None else generator.get_state()
    random = _random_state()

    def put_back() -> None:
        model.to(device)
        if optimizer is not None and optimizer_state is not None:
            optimizer.load_state_dict(optimizer_state)
        if scheduler is not None and scheduler_state is not None:
            scheduler.load_state_dict(scheduler_state)
        if generator is not None and generator_state is not None:
            generator.set_state(generator_state)
        _set_random_state(random)

    return put_back


def _set_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None and accelerator.type in state:
        torch.get_device_module(accelerator).set_rng_state(state[accelerator.type])


def _reason(error: BaseException) -> str:
    """What went wrong: torch puts advice, some of it dangerous, before the reason and after."""
    advice = (
        r"\x1b\[\d*m|In PyTorch 2\.6,.*?trusted source\.|Check the documentation of torch\.load.*"
    )
    text = re.sub(advice, "", str(error), flags=re.DOTALL)
    if asked_for := re.search(r"GLOBAL (\S+)", text):
        return f"it asks for {asked_for[1]}, which is no plain data"
    text = text.rpartition("WeightsUnpickler error:")[2].strip()
    reason = text.removeprefix("Weights only load failed.").strip().partition("\n")[0]
    return reason or type(error).__name__

"""What stands in a checkpoint file, and whether it fits."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

FORMAT = 1
_FOLDER = 0x10  # among a zip entry's external attributes

# Reading a damaged or hand-made file ends in any of these, as fuzzing torch.load has shown.
_UNREADABLE = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    LookupError,
    EOFError,
)


class CheckpointError(ValueError):
    """The file is no checkpoint that can be used here; nothing was changed."""


def to_bytes(contents: dict[str, Any], path: Path) -> memoryview:
    """The bytes of the file, tried out: what `load` would refuse is never written."""
    buffer = io.BytesIO()
    try:
        torch.save(contents, buffer)
        buffer.seek(0)
        torch.load(buffer, map_location="meta", weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{path} was not written: something in it would not load again ({_first_line(error)}); "
            "expected tensors, numbers, texts, lists and dictionaries. Look at metadata first."
        ) from error
    return buffer.getbuffer()


def from_file(path: Path) -> dict[str, Any]:
    """The contents, read onto the CPU without running any code that the file may carry."""
    file = io.BytesIO(path.read_bytes())
    try:
        _check_archive(file)
        contents = torch.load(file, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise CheckpointError(
            f"{path} can't be read ({_first_line(error)}); expected a whole file that save wrote. "
            "It is cut off, damaged or of another kind. Nothing in it was run; go back to an "
            "earlier one."
        ) from error
    _check_keys(contents, path)
    return contents  # type: ignore[no-any-return]  # what it is was checked just above


def _check_archive(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file) as archive:
        # For an entry marked as a folder torch returns memory that was never written.
        entries = archive.infolist()
        marked = [e.filename for e in entries if e.external_attr & _FOLDER or e.compress_type]
        damaged = marked[0] if marked else archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum or a mark of {damaged} is wrong")
    file.seek(0)


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


def _lacks(value: dict[str, Any] | None, parts: set[str]) -> bool:
    return value is not None and not parts <= value.keys()


def _check_keys(contents: Any, path: Path) -> None:
    made_with = contents.get("format") if isinstance(contents, dict) else None
    if isinstance(made_with, int) and made_with > FORMAT:
        raise CheckpointError(
            f"{path} has format {made_with}, this package reads up to {FORMAT}; it was made by a "
            "newer version. Upgrade pytorch-workflow."
        )
    wrong = [
        key
        for key, kind in _KEYS.items()
        if made_with != FORMAT or not isinstance(contents.get(key), kind) or key not in contents
    ]
    wrong = wrong or [key for key, parts in _PARTS.items() if _lacks(contents[key], parts)]
    if wrong:
        raise CheckpointError(
            f"{path} is no checkpoint of this package: {', '.join(wrong)} missing or of another "
            "type; expected a file that save wrote. For a bare state_dict use "
            "model.load_state_dict."
        )


def fits_model(saved: dict[str, Any], own: dict[str, Any], path: Path) -> None:
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


def fits_owner(saved: Any, owner: Optimizer | LRScheduler, role: str, path: Path) -> None:
    name = type(owner).__name__
    if saved is None:
        raise CheckpointError(
            f"{path} holds no {role} state; expected one of {name}, saved with save(…, {role}). "
            f"Load without the {role} to use the model only."
        )
    if saved.get("class") != name:
        raise CheckpointError(
            f"{path} holds the state of {saved.get('class')} as {role}, and {name} was given; "
            f"expected the same class. Make the {role} as it was when it was saved."
        )
    if isinstance(owner, Optimizer):
        there = [len(group["params"]) for group in saved["state"]["param_groups"]]
        here = [len(group["params"]) for group in owner.param_groups]
        if there != here:
            raise CheckpointError(
                f"{path} holds an optimizer of {there} parameters a group, and the one given has "
                f"{here}; expected the same. Give it the parameters it had when it was saved."
            )


def _first_line(error: BaseException) -> str:
    """What went wrong: torch puts advice, in colours, before the reason."""
    reason = re.sub(r"\x1b\[\d*m", "", str(error)).rpartition("WeightsUnpickler error: ")[-1]
    return re.split(r"\n| Please use ", reason.strip())[0] or type(error).__name__

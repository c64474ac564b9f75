"""What fit does before its first step: refuse what can't work, leaving no trace of the look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from workflow import _checks
from workflow._checks import LossFunction, Pair
from workflow.runtime import eval_mode, randomness_kept


def repeatable(data: Any, name: str, device: torch.device | str | None) -> Iterable[Pair]:
    """Batches that can be walked once an epoch, each on `device` where one is given."""
    if isinstance(data, Iterator):
        raise TypeError(
            f"{name} is a {type(data).__name__}, an iterator that can be walked only once; it "
            "would be empty in the second epoch. Give a pair (X, y), Batches, a DataLoader or a "
            "list."
        )
    walkable = _checks.batches(data, name)
    return walkable if device is None else _OnDevice(walkable, device)


class _OnDevice:
    def __init__(self, batches: Iterable[Pair], device: torch.device | str) -> None:
        self.batches, self.device = batches, device

    def __iter__(self) -> Iterator[Pair]:
        return (_checks.moved(batch, self.device) for batch in self.batches)


def move(model: nn.Module, optimizer: Optimizer, device: torch.device | str | None) -> None:
    model.to(device)
    # Momentum made before the move stayed behind; loading its own state takes it along.
    if device is not None and optimizer.state:
        optimizer.load_state_dict(optimizer.state_dict())


def first_walk(
    model: nn.Module, batches: Iterable[Pair], name: str, loss_fn: LossFunction, data: Any
) -> None:
    """Try every batch on the model and the loss, leaving no trace: not in weights, not in luck."""
    with randomness_kept(*generators_of(data)), eval_mode(model), torch.no_grad():
        for X, y in _checks.walk(model, batches, name):
            _checks.loss_inputs(loss_fn, model(X), y)


def generators_of(data: Any) -> list[torch.Generator]:
    """What draws the orders, first what draws those of a DataLoader's examples."""
    batched = getattr(data, "batch_sampler", None)
    owners = (getattr(data, "sampler", None), getattr(batched, "sampler", None), batched, data)
    found = [getattr(owner, "generator", None) for owner in owners]
    return list(dict.fromkeys(generator for generator in found if generator is not None))


def counts(*, epochs: Any, start: Any, patience: Any) -> None:
    _checks.whole_number("epochs", epochs, at_least=0)
    _checks.whole_number("start", start, at_least=0)
    if patience is not None:
        _checks.whole_number("patience", patience, at_least=1)
    if start > epochs:
        raise ValueError(
            f"start is {start} and epochs {epochs}; expected epochs to be {start} or more: it "
            "counts all epochs of the run, those done before too."
        )


def learning(
    model: nn.Module,
    loss_fn: LossFunction,
    optimizer: Optimizer,
    scheduler: LRScheduler | None,
) -> None:
    """Loss, optimizer and scheduler go together, and something will move."""
    reduction = getattr(loss_fn, "reduction", "mean")
    if reduction != "mean":
        raise ValueError(
            f"loss_fn has reduction={reduction!r}; expected 'mean': an epoch's loss is made of its "
            "batches' means. Make the loss without reduction=."
        )
    if isinstance(optimizer, torch.optim.LBFGS):
        raise TypeError(
            "optimizer is an LBFGS, which computes the loss several times a step; expected one "
            "whose step() needs no closure, such as SGD or Adam."
        )
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError(
            "scheduler was made for another optimizer; expected the one given, whose lr it would "
            "leave alone. Make the scheduler again from this optimizer."
        )
    _holds_parameters(model, loss_fn, optimizer)
    _moves(optimizer, warming_up=scheduler is not None)


def _holds_parameters(model: nn.Module, loss_fn: LossFunction, optimizer: Optimizer) -> None:
    held = [p for group in optimizer.param_groups for p in group["params"]]
    owners = [model, loss_fn] if isinstance(loss_fn, nn.Module) else [model]
    owned = {id(p) for owner in owners for p in owner.parameters()}
    lost = [tuple(p.shape) for p in held if id(p) not in owned]
    if lost or not {id(p) for p in held} & {id(p) for p in model.parameters()}:
        raise ValueError(
            f"optimizer holds {len(held)} parameters, {len(lost)} of them not the model's (shapes "
            f"{lost[:3]}); they would never learn. Was the model, or a layer of it, replaced after "
            "the optimizer was made? Make the optimizer again from model.parameters()."
        )
    if not any(p.requires_grad for p in held):
        raise ValueError(
            f"optimizer holds {len(held)} parameters, all of them frozen; expected at least one "
            "that learns. Thaw some: parameter.requires_grad_(True)."
        )


def _moves(optimizer: Optimizer, *, warming_up: bool) -> None:
    for number, group in enumerate(optimizer.param_groups):
        lr = float(group["lr"])
        if not (math.isfinite(lr) and (lr > 0 or (lr == 0 and warming_up))):
            raise ValueError(
                f"optimizer: lr of group {number} is {lr:g}; expected more than 0, such as 0.01. "
                "With 0 nothing would move."
            )

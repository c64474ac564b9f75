"""Stage 3: the training loop, first one step, then one epoch, then all of them."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.utils.data import DataLoader
from tqdm import tqdm

from workflow import _checks, _files, _trees
from workflow.checkpoints import CheckpointError, read_checkpoint, save
from workflow.data import Batches
from workflow.evaluation import batch_weight, larger_is_better, mean_loss, measured, scored
from workflow.runtime import eval_mode, random_state
from workflow.types import Batch, Data, LossFunction, Metric, Tensors


class Epoch(NamedTuple):
    """What one epoch came to.

    Attributes:
        number: Counted from 0.
        train_loss: Mean over the training examples, measured before each step.
        validation_loss: After the epoch's last step; None without validation data.
        metrics: Scores on the validation data, by name.
        lr: The learning rate the epoch began with.
    """

    number: int
    train_loss: float
    validation_loss: float | None
    metrics: dict[str, float]
    lr: float


class DivergedError(ValueError):
    """Training blew up: a loss or a weight is no longer a finite number.

    Attributes:
        history: The epochs before, all finite.
    """

    def __init__(self, message: str, history: list[Epoch]) -> None:
        super().__init__(message)
        self.history = history


def train_step(
    model: nn.Module,
    X: Tensors,
    y: Tensors,
    *,
    loss_fn: LossFunction,
    optimizer: Optimizer,
    before_step: Callable[[nn.Module], object] | None = None,
) -> Tensor:
    """Learn from one batch: the five lines that all training is made of.

    Args:
        model: In train mode, or as you want it.
        X: Features of the batch: a tensor, or whatever else has `.to`, is given to the model as
            it is; a tuple or list of such becomes its arguments, a dictionary its arguments by
            name.
        y: Labels of the batch, as the loss takes them beside what the model returns.
        loss_fn: Takes predictions and labels, returns how wrong they are.
        optimizer: Holds the model's parameters and moves them.
        before_step: Called with the model once its gradients are there, to look at them or to
            change them.

    Returns:
        The loss before the step, as a tensor without gradient.

    Raises:
        ValueError: Predictions and labels have shapes that a loss of torch's would broadcast.

    Examples:
        >>> _ = torch.manual_seed(42)
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> X = torch.ones(4, 1)
        >>> train_step(model, X, 2 * X, loss_fn=nn.L1Loss(), optimizer=optimizer)
        tensor(0.4055)

        Gradients that are too large are cut back before the step:

        >>> def clip(model):
        ...     nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        >>> how = {"loss_fn": nn.MSELoss(), "optimizer": optimizer, "before_step": clip}
        >>> loss = train_step(model, X, 100 * X, **how)
    """
    y_pred = model(X) if isinstance(X, Tensor) else _trees.call(model, X)  # 1. predict
    _checks.shapes(loss_fn, y_pred, y)
    loss = loss_fn(y_pred, y)  # 2. how wrong are the predictions?
    optimizer.zero_grad()  # 3. forget the last step's gradients
    loss.backward()  # 4. backpropagation: a new gradient for each parameter
    if before_step is not None:
        before_step(model)
    optimizer.step()  # 5. gradient descent: move each parameter downhill
    return loss.detach()


def train_epoch(
    model: nn.Module,
    data: Data,
    *,
    loss_fn: LossFunction,
    optimizer: Optimizer,
    scheduler: LRScheduler | None = None,
    before_step: Callable[[nn.Module], object] | None = None,
) -> float:
    """Learn from every batch once.

    Args:
        model: Put into train mode.
        data: A pair `(X, y)` or batches of pairs.
        loss_fn: Takes predictions and labels, returns their mean loss.
        optimizer: Holds the model's parameters.
        scheduler: Stepped after each batch. Leave it out to step it after each epoch yourself.
        before_step: Called with the model between backward and step, in each step.

    Returns:
        The mean loss over all labels: a batch counts by how many it has, since an average of
        averages would not be the average. For `CrossEntropyLoss` and `NLLLoss` a label counts
        by the weight of its class, and not at all where it is ignored, as within a batch.

    Raises:
        ValueError: `data` holds no example, shapes would be broadcast, or all labels are ignored.

    Examples:
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> pair = torch.ones(4, 1), torch.ones(4, 1)
        >>> loss = train_epoch(model, pair, loss_fn=nn.L1Loss(), optimizer=optimizer)

        Where a batch as large as you want doesn't fit into memory, gradients of several add up,
        and the step is left out until there are enough: without a gradient nothing moves.

        >>> sums, steps = {}, 0
        >>> def of_four_batches(model):
        ...     global steps
        ...     steps += 1
        ...     for parameter in model.parameters():
        ...         sums[parameter] = sums.get(parameter, 0) + parameter.grad / 4
        ...         parameter.grad = None if steps % 4 else sums.pop(parameter)
        >>> how = {"loss_fn": nn.L1Loss(), "optimizer": optimizer, "before_step": of_four_batches}
        >>> loss = train_epoch(model, [pair] * 8, **how)
    """
    if not model.training:
        model.train()
    losses, weights = [], []
    for X, y in _checks.batches(data, "data"):
        loss = train_step(
            model, X, y, loss_fn=loss_fn, optimizer=optimizer, before_step=before_step
        )
        losses.append(loss)
        weights.append(batch_weight(loss_fn, y))
        if scheduler is not None:
            scheduler.step()
    if not losses:
        raise ValueError(
            "data holds no batch; expected at least one (X, y). An iterator that was walked before "
            "is empty: give a pair, batches or a DataLoader."
        )
    return mean_loss(losses, weights, "data")


def fit(
    model: nn.Module,
    train: Data,
    validation: Data | None = None,
    *,
    loss_fn: LossFunction,
    optimizer: Optimizer,
    epochs: int,
    start: int = 0,
    metrics: Mapping[str, Metric] | None = None,
    scheduler: LRScheduler | None = None,
    scheduler_per: Literal["epoch", "batch"] = "epoch",
    before_step: Callable[[nn.Module], object] | None = None,
    device: torch.device | str | None = None,
    watch: str | None = None,
    largest: bool | None = None,
    patience: int | None = None,
    folder: str | Path | None = None,
    save_every: int | None = None,
    on_epoch: Callable[[Epoch], object] | None = None,
    progress: bool = False,
) -> list[Epoch]:
    """Train for a number of epochs, exactly as the loop written by hand would.

    Data held in memory is checked whole before the first step, other data batch by batch as it
    comes; nothing is drawn that training doesn't use. An error in the first step leaves weights,
    running statistics and random numbers as they were.

    Whatever ends the training early, Ctrl-C too, carries the epochs done as `error.history`.

    Args:
        model: Trained in place, and left in train mode.
        train: A pair `(X, y)`, [Batches][workflow.Batches], a `DataLoader`, or anything else
            that yields pairs and can be walked again: one walk is an epoch. `X` may be a tuple,
            list or dictionary of tensors, as [train_step][workflow.train_step] says.
        validation: The same kinds; scored after each epoch, never learned from.
        loss_fn: Takes predictions and labels, returns their mean loss.
        optimizer: Made from `model.parameters()`.
        epochs: How many in all, those before `start` counted.
        start: The first epoch's number: 0, or how many are done when a run goes on.
        metrics: More scores on the validation data, by name.
        scheduler: Changes the learning rate; `ReduceLROnPlateau` is told the score to `watch`.
        scheduler_per: When to step it, after each `"epoch"` or each `"batch"`, as `OneCycleLR`
            with `steps_per_epoch` wants it.
        before_step: Called with the model between backward and step, to clip gradients, say.
        device: Where to train: moves the model and each batch. None: everything stays.
        watch: The score that says which weights are best: `"train_loss"`, `"validation_loss"`
            or the name of a metric. None: the validation loss, or without validation data the
            training loss. A training loss is measured before the steps, so its weights are those
            that the epoch began with; that is exact where an epoch is one batch.
        largest: Whether the largest score is best. None: its name says so, as for an accuracy.
        patience: Stop after so many epochs without a better score; the best weights are put back
            at the end, whether it stopped early or not.
        folder: Keeps `last.pt`, to go on from, with the history in its metadata, and `best.pt`,
            the best weights. Given `start`, the run goes on from the history it finds there.
        save_every: How many epochs lie between two savings. None: as many as keep the time
            spent on them under a twentieth. At the end there is always one.
        on_epoch: Called with each record; returning True stops the training.
        progress: Show a progress bar.

    Returns:
        One record an epoch, those of earlier parts of the run in `folder` first.

    Raises:
        TypeError: Data can be walked only once, or is not of a dtype that the model takes.
        ValueError: An argument is out of range, data is empty, not finite or doesn't fit the
            model or the loss, or the optimizer doesn't hold the model's parameters.
        DivergedError: A loss or a weight became NaN or infinite. With `patience` or a `folder`
            the model holds its best weights again, and optimizer and scheduler are as they
            began; without, all hold what blew up, and have to be built again.

    Examples:
        >>> from workflow import LinearRegressionModel, make_line, split
        >>> train, test = split(*make_line(), shuffle=False)
        >>> _ = torch.manual_seed(42)
        >>> model = LinearRegressionModel()
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> history = fit(model, train, test, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=100)
        >>> f"{history[0].train_loss:.5f} {history[90].train_loss:.5f}"
        '0.31288 0.02789'
    """
    epochs = _checks.whole_number("epochs", epochs, at_least=0)
    start = _checks.whole_number("start", start, at_least=0)
    _check_run(epochs, start, patience, save_every, metrics, validation)
    _check_learning(model, loss_fn, optimizer, scheduler)
    watch, largest = _watched(watch, largest, validation, metrics, scheduler, scheduler_per)
    data = _Walk(train, "train", device)
    held_out = None if validation is None else _Walk(validation, "validation", device)
    run = _Run(model, optimizer, scheduler, data, watch, largest, folder, save_every)
    _move(model, optimizer, device)
    if held_out is not None:
        held_out.try_out(model, loss_fn)
    run.begin(start, keep=patience is not None or folder is not None)
    steps = _Steps(model, data, loss_fn)
    how: dict[str, Any] = {"loss_fn": loss_fn, "optimizer": optimizer, "before_step": before_step}
    how |= {"scheduler": scheduler if scheduler_per == "batch" else None}

    bar = tqdm(range(start, epochs), disable=not progress, unit="epoch")
    try:
        for number in bar:
            if patience is not None and run.waited >= patience:
                run.stopped = "patience"
                break
            lr = float(optimizer.param_groups[0]["lr"])
            run.before_epoch()
            with steps:
                train_loss = train_epoch(model, data, **how)
            loss, scores = _score(model, held_out, loss_fn, metrics, look=number == start)
            value = run.after_epoch(Epoch(number, train_loss, loss, scores, lr))
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(value)
            elif scheduler is not None and scheduler_per == "epoch":
                scheduler.step()
            if run.save_due():
                run.save()
            if progress:
                bar.set_postfix(loss=f"{train_loss if loss is None else loss:.4g}", refresh=False)
            if on_epoch is not None and on_epoch(run.history[-1]) is True:
                run.stopped = "on_epoch"
                break
        run.end(put_best_back=patience is not None)
    except BaseException as error:
        error.history = run.history  # type: ignore[attr-defined]  # for whoever catches it
        raise
    return run.history


# What fit refuses before anything moves


def _check_run(
    epochs: int,
    start: int,
    patience: Any,
    save_every: Any,
    metrics: Mapping[str, Metric] | None,
    validation: Any,
) -> None:
    for name, value in (("patience", patience), ("save_every", save_every)):
        if value is not None:
            _checks.whole_number(name, value, at_least=1)
    if start > epochs:
        raise ValueError(
            f"start is {start} and epochs {epochs}; expected epochs to be {start} or more: it "
            "counts all epochs of the run, those done before too."
        )
    _checks.metrics(metrics, validation)


def _check_learning(
    model: nn.Module, loss_fn: LossFunction, optimizer: Optimizer, scheduler: LRScheduler | None
) -> None:
    """Loss, optimizer and scheduler go together, and something will move."""
    _checks.loss_function(loss_fn)
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
    if not all(map(_checks.all_finite, held)):
        raise ValueError(
            "model holds a weight that is NaN or infinite, as after a run that diverged; expected "
            "finite ones. Build the model and the optimizer again."
        )
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    for number, lr in enumerate(rates):
        if not (math.isfinite(lr) and lr >= 0) or not (any(rates) or scheduler):
            raise ValueError(
                f"optimizer: lr of group {number} is {lr:g}; expected more than 0, such as 0.01. "
                "With 0 nothing would move."
            )


def _watched(
    watch: str | None,
    largest: bool | None,
    validation: Any,
    metrics: Mapping[str, Metric] | None,
    scheduler: LRScheduler | None,
    scheduler_per: str,
) -> tuple[str, bool]:
    """Which score says what is best, and whether the largest is."""
    scores = ["train_loss"] if validation is None else ["validation_loss", "train_loss"]
    scores += metrics or []
    watch = watch or scores[0]
    if watch not in scores:
        raise ValueError(f"watch is {watch!r}; expected one of the scores of this run, {scores}.")
    largest = larger_is_better(watch) if largest is None else largest
    if largest is None:
        raise ValueError(
            f"watch is {watch!r}, a name that doesn't say whether more is better; expected "
            "largest=True or largest=False beside it."
        )
    if scheduler_per not in ("epoch", "batch"):
        raise ValueError(f"scheduler_per is {scheduler_per!r}; expected 'epoch' or 'batch'.")
    if isinstance(scheduler, ReduceLROnPlateau):
        if scheduler_per == "batch":
            raise ValueError(
                "scheduler_per is 'batch' and the scheduler ReduceLROnPlateau, which goes by a "
                f"score of each epoch, {watch}; expected scheduler_per='epoch'."
            )
        mode = "max" if largest else "min"
        if scheduler.mode != mode:
            raise ValueError(
                f"scheduler is a ReduceLROnPlateau with mode={scheduler.mode!r} and is told "
                f"{watch}, of which the {'largest' if largest else 'smallest'} is best; expected "
                f"mode={mode!r}, or another score to watch."
            )
    return watch, largest


def _move(model: nn.Module, optimizer: Optimizer, device: torch.device | str | None) -> None:
    model.to(device)
    # Momentum made before the move stayed behind; loading its own state takes it along.
    if device is not None and optimizer.state:
        optimizer.load_state_dict(optimizer.state_dict())


# What happens around an epoch


class _Walk:
    """A data set of a run, walked once an epoch: each batch checked, and moved to the device.

    What is held in memory is checked whole, once. Of other data each batch is, when it comes.
    """

    def __init__(self, data: Any, name: str, device: torch.device | str | None) -> None:
        if isinstance(data, Iterator):
            raise TypeError(
                f"{name} is a {type(data).__name__}, an iterator that can be walked only once; it "
                "would be empty in the second epoch. Give a pair (X, y), Batches, a DataLoader or "
                "a list."
            )
        self.batches = _checks.batches(data, name)
        self.name, self.device = name, device
        self.held: Sequence[Batch] = ()
        if isinstance(data, Batches):
            self.held = [(data.X, data.y)]
        elif isinstance(self.batches, list | tuple):
            if not self.batches:
                raise ValueError(f"{name} holds no example; expected at least one batch (X, y).")
            self.held = self.batches
        for batch in self.held:
            _checks.batch(batch, name)
        self.generators = _generators(data)
        self.generator = self.generators[0] if self.generators else None
        self.last_rows = _rows_of_last_batch(data)
        self.batch: Batch | None = None  # the one that is worked on; None while one is drawn
        self.seen: Batch | None = None
        self.drawn = 0

    def __iter__(self) -> Iterator[Batch]:
        self.drawn, self.batch = 0, None
        for batch in self.batches:
            if not self.held:
                place = f"{self.name}, batch {self.drawn}"
                batch = _checks.batch(batch, place, waiting=False)
            if self.device is not None:
                batch = _trees.mapped(tuple(batch), lambda t: t.to(self.device))
            self.batch = self.seen = batch
            self.drawn += 1
            yield batch
            self.batch = None

    def try_out(self, model: nn.Module, loss_fn: LossFunction) -> None:
        """Score one batch of what is held in memory, leaving no trace, to refuse what can't be."""
        if not self.held or any(is_lazy(parameter) for parameter in model.parameters()):
            return
        undo = _undo(model, self.generators)
        try:
            with eval_mode(model), torch.no_grad():
                X, y = next(iter(self))
                y_pred = _checks.predicted(model, X, f"{self.name}: X")
                _checks.loss_inputs(loss_fn, y_pred, y)
                _checks.one_number(loss_fn(y_pred, y))
                for _, labels in self.held:
                    _checks.labels(loss_fn, y_pred, labels)
        finally:
            undo()


def _generators(data: Any) -> list[torch.Generator]:
    """What draws the orders, first what draws those of a DataLoader's examples."""
    batched = getattr(data, "batch_sampler", None)
    owners = (getattr(data, "sampler", None), getattr(batched, "sampler", None), batched, data)
    found = [getattr(owner, "generator", None) for owner in owners]
    return list(dict.fromkeys(generator for generator in found if generator is not None))


def _rows_of_last_batch(data: Any) -> int | None:
    """How many examples the last batch of a walk has, where that can be known."""
    count = None
    if isinstance(data, Batches):
        count = _trees.rows(data.X)
    elif isinstance(data, DataLoader) and isinstance(data.sampler, Sized):
        count = len(data.sampler)
    if count is None or data.batch_size is None or data.drop_last:
        return None
    return int(count % data.batch_size or data.batch_size)


def _undo(model: nn.Module, generators: Sequence[torch.Generator]) -> Callable[[], None]:
    """Note what a forward pass changes; the function returned puts it back."""
    put_random_back = random_state(*generators)
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, buffer.clone())
        for module, _ in modes
        for name, buffer in module.named_buffers(recurse=False)
        if not is_lazy(buffer)
    ]

    def undo() -> None:
        put_random_back()
        for module, training in modes:
            module.training = training
        with torch.no_grad():
            for module, name, buffer, value in buffers:
                setattr(module, name, buffer.copy_(value))  # it may have been replaced, too

    return undo


class _Steps:
    """Around the steps of an epoch: says what fails and where, and undoes a first step that does.

    The first prediction of all is looked at in passing, by a hook: no forward pass is done that
    the loop by hand would not do.
    """

    def __init__(self, model: nn.Module, data: _Walk, loss_fn: LossFunction) -> None:
        self.model, self.data, self.loss_fn = model, data, loss_fn
        self.undo: Callable[[], None] | None = None
        self.hooks: list[Any] = []
        self.first, self.looking = True, False

    def __enter__(self) -> None:
        if not self.first:
            return
        self.undo = _undo(self.model, self.data.generators)
        if not isinstance(self.model, torch.jit.ScriptModule):  # which takes no hook
            self.hooks.append(self.model.register_forward_hook(self.look))
        if self.data.last_rows == 1:
            for module in self.model.modules():
                if isinstance(module, _BatchNorm) and (module.training or not self.model.training):
                    self.hooks.append(module.register_forward_pre_hook(self.refuse_one))

    def look(self, model: nn.Module, arguments: Any, y_pred: Any) -> None:
        """Refuse a prediction that can't be learned from, before the loss is worked out."""
        assert self.data.batch is not None  # it is what was predicted for
        self.looking = True
        _checks.loss_inputs(self.loss_fn, y_pred, self.data.batch[1])
        for _, labels in self.data.held:
            _checks.labels(self.loss_fn, y_pred, labels)
        self.looking = False
        self.unhook()

    def refuse_one(self, module: nn.Module, arguments: Any) -> None:
        """Refuse a last batch of one where a layer would see one number a channel in it."""
        assert self.data.batch is not None
        X, rows = arguments[0], _trees.rows(self.data.batch[1])
        if X.numel() == X.shape[1] * rows:
            self.looking = True
            raise ValueError(
                f"{self.data.name}: the last batch has one example, and the model a "
                f"{type(module).__name__}, which can't learn from one; expected two or more. Give "
                "another batch_size, or drop_last=True."
            )

    def unhook(self) -> None:
        for hook in self.hooks:
            hook.remove()
        self.hooks = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        predicted, undo = not self.hooks, self.undo
        self.first, self.undo = False, None
        if self.hooks:
            self.unhook()
        if not isinstance(error, Exception):
            return
        if undo is not None and self.data.drawn <= 1:
            undo()
        if self.looking or self.data.batch is None:  # said in our words, or by the data's own
            return
        X, y = self.data.batch
        label = f"{self.data.name}, batch {self.data.drawn - 1}: X"
        if self.data.held and self.data.drawn == 1:
            label = f"{self.data.name}: X"
        explained = _checks.failed(error, self.model, X, label, y if predicted else None)
        if explained is not error:
            raise explained from error


def _score(
    model: nn.Module,
    held_out: _Walk | None,
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric] | None,
    *,
    look: bool,
) -> tuple[float | None, dict[str, float]]:
    """The validation loss, and the metrics where it is a number."""
    if held_out is None:
        return None, {}
    loss, y_pred, y = scored(model, held_out, loss_fn, held_out.name, look=look)
    return loss, measured(metrics, y_pred, y) if math.isfinite(loss) else {}


class _Run:
    """What a run keeps: its history, its best weights, its folder.

    A `state_dict` aliases the live weights, so keeping one would keep nothing: it changes with
    every step. Where best weights are asked for, their numbers are copied.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        scheduler: LRScheduler | None,
        data: _Walk,
        watch: str,
        largest: bool,
        folder: str | Path | None,
        save_every: int | None,
    ) -> None:
        self.model, self.optimizer, self.scheduler, self.data = model, optimizer, scheduler, data
        self.watch, self.largest = watch, largest
        self.of_losses = watch in ("train_loss", "validation_loss")
        self.folder = None if folder is None else Path(folder)
        self.save_every = save_every
        if self.folder is not None:
            _files.writable(self.folder)
        self.history: list[Epoch] = []
        self.stopped: str | None = None
        self.best_epoch: int | None = None
        self.best_value = math.nan
        self.waited = 0  # epochs since the best
        self.keep = self.best_written = False
        self.best: dict[str, Any] = {}
        self.marked: dict[str, Any] = {}

    def begin(self, start: int, *, keep: bool) -> None:
        """Note where the run sets out from: in the folder, if an earlier part of it is there."""
        self.keep = keep
        self.saved_at, self.saving_costs = time.perf_counter(), 0.05
        self.first_weight = max(map(_checks.largest, self._weights()))
        self.begun = 0
        if keep:
            self.first_states = copy.deepcopy([owner.state_dict() for owner in self._owners()])
            _copy_state(self.model, self.best)
        if self.folder is None or start == 0:
            return
        if (last := self.folder / "last.pt").exists():
            kept = read_checkpoint(last)["metadata"].get("history")
            records = kept if isinstance(kept, list) else []  # another's metadata has its own
            written = [r for r in records if isinstance(r, dict) and r.keys() == {*Epoch._fields}]
            self.history = [Epoch(**record) for record in written if record["number"] < start]
        self.begun = len(self.history)
        if (best := self.folder / "best.pt").exists():
            self._resume_best(best, start)

    def _resume_best(self, path: Path, start: int) -> None:
        contents = read_checkpoint(path)
        own, found = _shapes(self.best), _shapes(contents["model"])
        if own != found:
            names = sorted(
                name for name in own.keys() | found.keys() if own.get(name) != found.get(name)
            )
            raise CheckpointError(
                f"{path} doesn't fit the model; expected the same names and shapes. Others: "
                f"{', '.join(names)}. Build the model as it was, or give another folder."
            )
        kept = contents["metadata"]
        if not {self.watch, "epoch"} <= kept.keys():
            raise CheckpointError(
                f"{path} holds no {self.watch}; expected the best weights that fit kept there, by "
                "the same score. Move the file, or give another folder."
            )
        if kept["epoch"] < start:  # else the run went back, and will find it again
            self.best = contents["model"]
            self.best_value, self.best_epoch = kept[self.watch], kept["epoch"]
            self.waited, self.best_written = start - 1 - kept["epoch"], True

    def before_epoch(self) -> None:
        """Copy the weights that a training loss will be measured from."""
        if self.keep and self.watch == "train_loss":
            _copy_state(self.model, self.marked)

    def after_epoch(self, epoch: Epoch) -> float:
        """Take the epoch into the history, keep its weights if they are the best; its score."""
        loss = epoch.train_loss + (epoch.validation_loss or 0.0)
        if not math.isfinite(loss):
            raise self._diverged(f"a loss became {loss}", epoch)
        self.history.append(epoch)
        value: float = getattr(epoch, self.watch) if self.of_losses else epoch.metrics[self.watch]
        better = value > self.best_value if self.largest else value < self.best_value
        if math.isnan(value) or not (better or self.best_epoch is None):
            self.waited += 1
            return value
        self.best_value, self.best_epoch, self.waited = value, epoch.number, 0
        self.best_written = False
        if self.keep and self.watch == "train_loss":
            self.best, self.marked = self.marked, self.best
        elif self.keep:
            _copy_state(self.model, self.best)
        return value

    def save_due(self) -> bool:
        if self.folder is None:
            return False
        if self.save_every is not None:
            return (self.history[-1].number + 1) % self.save_every == 0
        return time.perf_counter() - self.saved_at >= 19 * self.saving_costs

    def save(self) -> None:
        """Write the best weights where they are new, and all that the run goes on from."""
        assert self.folder is not None  # or nothing would be due
        self._require_finite_weights()
        began = time.perf_counter()
        self._save_best()
        save(
            self.folder / "last.pt",
            self.model,
            self.optimizer,
            scheduler=self.scheduler,
            generator=self.data.generator,
            epoch=self.history[-1].number + 1,
            metadata={
                "history": [epoch._asdict() for epoch in self.history],
                "stopped": self.stopped,
            },
        )
        self.saved_at = time.perf_counter()
        self.saving_costs = self.saved_at - began

    def _save_best(self) -> None:
        if self.folder is None or self.best_written or self.best_epoch is None:
            return
        done = self.best_epoch + (self.watch != "train_loss")
        metadata = {self.watch: self.best_value, "epoch": self.best_epoch}
        save(self.folder / "best.pt", self, epoch=done, metadata=metadata)
        self.best_written = True

    def state_dict(self) -> dict[str, Any]:
        return self.best

    def end(self, *, put_best_back: bool) -> None:
        if len(self.history) > self.begun:
            self._require_finite_weights()
            if self.folder is not None:
                self.save()
        if put_best_back:
            _put_back(self.best, self.model)

    def _owners(self) -> list[Optimizer | LRScheduler]:
        return [self.optimizer] + ([] if self.scheduler is None else [self.scheduler])

    def _weights(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def _require_finite_weights(self) -> None:
        if not all(map(_checks.all_finite, self._weights())):
            raise self._diverged("a weight became NaN or infinite", self.history[-1])

    def _diverged(self, what: str, epoch: Epoch) -> DivergedError:
        """The error to raise, once everything that was kept is back in its place."""
        holds = "Build the model and the optimizer again: they hold what blew up."
        if self.keep:
            _put_back(self.best, self.model)
            for owner, state in zip(self._owners(), self.first_states, strict=True):
                owner.load_state_dict(state)
            self._save_best()
            holds = "The model's weights are again the first"
            if self.best_epoch is not None:
                holds = (
                    f"The model's weights are again those of epoch {self.best_epoch}, "
                    f"{self.watch.replace('_', ' ')} {self.best_value:.4g}"
                )
            holds += "; the optimizer is as it was at the start."
        advice = (
            f"Try a smaller lr, such as {epoch.lr / 10:g}, and a tenth of it again where that "
            "diverges too."
        )
        if self.first_weight > 1e6:
            advice = (
                f"The weights were as large as {self.first_weight:.1g} before the first step, as "
                "after a run that diverged."
            )
        elif self.data.seen is not None and (wide := _unscaled(self.data)):
            advice = (
                f"{wide}. Scale the features before you lower the lr: subtract the mean of the "
                "training data, and divide by its standard deviation."
            )
        return DivergedError(
            f"{what} in epoch {epoch.number}, with lr {epoch.lr:g}; expected finite numbers. "
            f"{advice} {holds}",
            self.history,
        )


def _copy_state(model: nn.Module, into: dict[str, Any]) -> None:
    """Copy a model's state, into the memory of an earlier copy where there is one.

    It is asked for anew each time: a buffer that was replaced isn't in the dictionary of before.
    """
    for name, live in model.state_dict().items():
        if not isinstance(live, Tensor):
            into[name] = copy.deepcopy(live)
        elif is_lazy(live):
            continue
        elif name in into and into[name].shape == live.shape:
            into[name].copy_(live)
        else:
            into[name] = live.clone()


def _put_back(state: dict[str, Any], model: nn.Module) -> None:
    live = model.state_dict()
    for name, value in state.items():
        if isinstance(value, Tensor) and live[name].shape == value.shape:
            live[name].copy_(value)
        elif isinstance(value, Tensor):  # a buffer that has grown since
            owner, _, buffer = name.rpartition(".")
            setattr(model.get_submodule(owner), buffer, value.clone())
        else:
            model.load_state_dict({name: value}, strict=False)


def _shapes(state: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "shape", None) for name, value in state.items()}


def _unscaled(data: _Walk) -> str:
    """The feature that is furthest from the size of 1, in words, if one is far from it."""
    [(X, _)] = data.held if len(data.held) == 1 else [data.seen or ((), ())]
    found = [(0.0, "")]
    for leaf in _trees.leaves(X):
        if isinstance(leaf, Tensor) and leaf.is_floating_point():
            columns = leaf if leaf.ndim == 2 else leaf.reshape(-1, 1)
            sizes = columns.square().mean(dim=0).sqrt()
            widest = int(sizes.argmax())
            low, high = columns[:, widest].aminmax()
            where = f", column {widest}," if columns.shape[1] > 1 else ""
            words = f"{data.name}: X{where} runs from {low:.4g} to {high:.4g}"
            found.append((float(sizes[widest]), words))
    size, words = max(found)
    return words if size > 10 else ""

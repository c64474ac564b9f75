"""Stage 3: the training loop, first one step, then one epoch, then all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from tqdm import tqdm

from workflow import _checks, _files, _fitting
from workflow._best import Best
from workflow._checks import Data, LossFunction
from workflow.checkpoints import save
from workflow.evaluation import Metric, score_unchecked


class Epoch(NamedTuple):
    """What one epoch came to.

    Attributes:
        number: Counted from 0.
        train_loss: Mean over the training examples, measured before each step.
        validation_loss: After the epoch's last step; None without validation data.
        metrics: Scores on the validation data, by name.
        lr: The learning rate the epoch was trained with.
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
    model: nn.Module, X: Tensor, y: Tensor, *, loss_fn: LossFunction, optimizer: Optimizer
) -> Tensor:
    """Learn from one batch: the five lines that all training is made of.

    Args:
        model: In train mode, or as you want it.
        X: Features of the batch.
        y: Labels of the batch, of the shape that the model predicts.
        loss_fn: Takes predictions and labels, returns how wrong they are.
        optimizer: Holds the model's parameters and moves them.

    Returns:
        The loss before the step, as a tensor without gradient.

    Raises:
        ValueError: Predictions and labels have shapes that would be broadcast.

    Examples:
        >>> _ = torch.manual_seed(42)
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> X = torch.ones(4, 1)
        >>> train_step(model, X, 2 * X, loss_fn=nn.L1Loss(), optimizer=optimizer)
        tensor(0.4055)
    """
    y_pred = model(X)  # 1. forward pass: predict
    if y_pred.shape != y.shape:
        _checks.shapes(loss_fn, y_pred, y)
    loss = loss_fn(y_pred, y)  # 2. how wrong are the predictions?
    optimizer.zero_grad()  # 3. forget the last step's gradients
    loss.backward()  # 4. backpropagation: a new gradient for each parameter
    optimizer.step()  # 5. gradient descent: move each parameter downhill
    return loss.detach()


def train_epoch(
    model: nn.Module, data: Data, *, loss_fn: LossFunction, optimizer: Optimizer
) -> float:
    """Learn from every batch once.

    Args:
        model: Put into train mode.
        data: A pair `(X, y)` or batches of pairs.
        loss_fn: Takes predictions and labels, returns their mean loss.
        optimizer: Holds the model's parameters.

    Returns:
        The mean loss over the examples. A short last batch counts by its length: an average
        of averages would not be the average.

    Raises:
        ValueError: `data` holds no example, or shapes would be broadcast.

    Examples:
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        >>> pair = torch.ones(4, 1), torch.ones(4, 1)
        >>> loss = train_epoch(model, pair, loss_fn=nn.L1Loss(), optimizer=optimizer)
    """
    if not model.training:
        model.train()
    losses, sizes = [], []
    for X, y in _checks.batches(data, "data"):
        losses.append(train_step(model, X, y, loss_fn=loss_fn, optimizer=optimizer))
        sizes.append(X.shape[0])
    if len(losses) == 1:
        return losses[0].item()
    if not losses:
        raise ValueError(
            "data holds no batch; expected at least one (X, y). An iterator that was walked before "
            "is empty: give a pair, batches or a DataLoader."
        )
    # One synchronisation an epoch: .item() after each batch would make a GPU wait every time.
    means: list[float] = torch.stack(losses).tolist()
    return sum(mean * size for mean, size in zip(means, sizes, strict=True)) / sum(sizes)


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
    device: torch.device | str | None = None,
    patience: int | None = None,
    folder: str | Path | None = None,
    on_epoch: Callable[[Epoch], object] | None = None,
    progress: bool = False,
) -> list[Epoch]:
    """Train for a number of epochs, exactly as the loop written by hand would.

    Both data sets are walked once before the first step, with every random state put back
    after: a mistake in them is reported before anything has changed.

    The best weights are those with the lowest validation loss; without validation data, those
    that the lowest training loss was measured from, at the start of its epoch. With none of
    `validation`, `patience` and `folder`, every tenth epoch is looked at.

    Args:
        model: Trained in place, and left in train mode.
        train: A pair `(X, y)`, [Batches][workflow.Batches], a `DataLoader`, or anything else
            that yields pairs and can be walked again.
        validation: The same kinds; scored after each epoch, never learned from.
        loss_fn: Takes predictions and labels, returns their mean loss.
        optimizer: Made from `model.parameters()`.
        epochs: How many in all, those before `start` counted.
        start: The first epoch's number: 0, or how many are done when a run goes on.
        metrics: More scores on the validation data, by name.
        scheduler: Stepped after each epoch; `ReduceLROnPlateau` is told the loss.
        device: Where to train: moves the model and each batch. None: everything stays.
        patience: Stop after so many epochs without a lower loss; the best weights are put back
            at the end, whether it stopped early or not.
        folder: Keeps `last.pt`, to go on from, and `best.pt`, the best weights.
        on_epoch: Called with each record; a true answer stops the training.
        progress: Show a progress bar.

    Returns:
        One record an epoch.

    Raises:
        TypeError: Data can be walked only once, or is not of the model's dtype.
        ValueError: An argument is out of range, data is empty, not finite or doesn't fit the
            model or the loss, or the optimizer doesn't hold the model's parameters.
        DivergedError: A loss or a weight became NaN or infinite. The model holds its best
            weights again.

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
    _fitting.counts(epochs=epochs, start=start, patience=patience)
    _checks.metrics(metrics, validation)
    _fitting.learning(model, loss_fn, optimizer, scheduler)
    batches = _fitting.repeatable(train, "train", device)
    held_out = None if validation is None else _fitting.repeatable(validation, "validation", device)
    if folder is not None:
        _files.writable(Path(folder))
    _fitting.move(model, optimizer, device)
    _fitting.first_walk(model, batches, "train", loss_fn, train)
    if held_out is not None:
        _fitting.first_walk(model, held_out, "validation", loss_fn, validation)

    history: list[Epoch] = []
    # A copy each epoch would cost the smallest models 5 %: where nobody asks, one in ten will do.
    exact = held_out is not None or patience is not None or folder is not None
    best = Best(model, scored_first=held_out is None, every=1 if exact else 10)
    if folder is not None and start > 0:
        best.resume(Path(folder, "best.pt"))
    states: dict[str, Any] = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    states["generator"] = next(iter(_fitting.generators_of(train)), None)
    bar = tqdm(range(start, epochs), disable=not progress, unit="epoch")
    for number in bar:
        best.start_epoch(number)
        lr = float(optimizer.param_groups[0]["lr"])
        train_loss = train_epoch(model, batches, loss_fn=loss_fn, optimizer=optimizer)
        scores = {} if held_out is None else score_unchecked(model, held_out, loss_fn, metrics)
        epoch = Epoch(number, train_loss, scores.pop("loss", None), scores, lr)
        loss = train_loss if epoch.validation_loss is None else epoch.validation_loss
        if not (math.isfinite(train_loss) and math.isfinite(loss)):
            raise _diverged(f"a loss became {train_loss + loss}", epoch, best, history)
        history.append(epoch)
        improved = best.end_epoch(number, loss)
        if scheduler is not None:
            _advance(scheduler, loss)
        if folder is not None:
            if improved:
                best.save(Path(folder, "best.pt"))
            save(Path(folder, "last.pt"), epoch=number + 1, **states)
        if progress:
            bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        if on_epoch is not None and on_epoch(epoch):
            break
        if patience is not None and number - best.epoch >= patience:
            break
    if patience is not None:
        best.restore()
    if history and not all(torch.isfinite(p).all() for p in model.parameters()):
        raise _diverged("a weight became NaN or infinite", history[-1], best, history)
    return history


def _advance(scheduler: LRScheduler, loss: float) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(loss)
    else:
        scheduler.step()


def _diverged(what: str, epoch: Epoch, best: Best, history: list[Epoch]) -> DivergedError:
    best.restore()
    holds = f"those of epoch {best.epoch}, loss {best.loss:.4g}" if best.epoch >= 0 else "the first"
    return DivergedError(
        f"{what} in epoch {epoch.number}, with lr {epoch.lr:g}; expected finite numbers. Try a "
        f"smaller lr, such as {epoch.lr / 10:g}. The model's weights are again {holds}.",
        history,
    )

"""Training: `fit` is the loop by hand, bit for bit; what is wrong is said before anything moves."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from workflow import (
    MLP,
    Batches,
    CheckpointError,
    DivergedError,
    Epoch,
    LinearRegressionModel,
    batches,
    evaluate,
    fit,
    load,
    make_line,
    mean_absolute_error,
    read_checkpoint,
    save,
    split,
    train_epoch,
    train_step,
)

Pair = tuple[Tensor, Tensor]

TRAIN, TEST = split(*make_line(), shuffle=False)
X, y = TRAIN

OPTIMIZERS: dict[str, Callable[[nn.Module], Optimizer]] = {
    "SGD": lambda model: SGD(model.parameters(), lr=0.01),
    "momentum": lambda model: SGD(model.parameters(), lr=0.01, momentum=0.9),
    "Adam": lambda model: Adam(model.parameters(), lr=0.01),
}


def loader(**options: Any) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(X, y), batch_size=16, **options)


DATA: dict[str, Callable[[], Iterable[Any]]] = {
    "full batch": lambda: batches(X, y),
    "mini-batches": lambda: batches(X, y, batch_size=16),
    "shuffled mini-batches": lambda: batches(X, y, batch_size=16, shuffle=True, seed=3),
    "DataLoader": lambda: loader(shuffle=True),
    "DataLoader with a generator": lambda: loader(
        shuffle=True, generator=torch.Generator().manual_seed(3)
    ),
    "DataLoader with a sampler": lambda: loader(
        sampler=RandomSampler(range(40), generator=torch.Generator().manual_seed(3))
    ),
    "DataLoader with a batch sampler": lambda: DataLoader(
        TensorDataset(X, y),
        batch_sampler=BatchSampler(
            RandomSampler(range(40), generator=torch.Generator().manual_seed(3)), 16, False
        ),
    ),
    "list of pairs": lambda: [(X[:30], y[:30]), (X[30:], y[30:])],
}

MODELS: dict[str, Callable[[], nn.Module]] = {
    "line": LinearRegressionModel,
    "batch norm and dropout": lambda: nn.Sequential(
        nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
    ),
}


def loop_by_hand(
    model: nn.Module,
    train: Iterable[Pair],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: Optimizer,
    epochs: int,
    test: Pair | None = None,
) -> tuple[list[float], list[float]]:
    losses, test_losses = [], []
    for _ in range(epochs):
        model.train()
        total, count = 0.0, 0
        for X, y in train:
            y_pred = model(X)
            loss = loss_fn(y_pred, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(X)
            count += len(X)
        losses.append(total / count)
        if test is not None:
            model.eval()
            with torch.inference_mode():
                test_losses.append(loss_fn(model(test[0]), test[1]).item())
    return losses, test_losses


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk guards against a power cut, which no test here can bring about."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def the_line() -> tuple[nn.Module, Optimizer]:
    torch.manual_seed(42)
    model = LinearRegressionModel()
    return model, SGD(model.parameters(), lr=0.01)


def a_layer() -> tuple[nn.Module, Optimizer]:
    torch.manual_seed(42)
    model = nn.Linear(1, 1)
    return model, SGD(model.parameters(), lr=0.01)


def numbers(value: Any) -> Any:
    """Nested states as plain numbers that == compares, tensors down to their last bit."""
    if isinstance(value, Tensor):
        rows = None if value.is_meta else value.reshape(-1).contiguous().view(torch.uint8).tolist()
        return str(value.dtype), tuple(value.shape), rows
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return value


def everything(model: nn.Module, optimizer: Optimizer, data: object = None) -> Any:
    """All that training could change: weights, modes, momentum, learning rates, luck."""
    generator = getattr(data, "generator", None)
    return (
        numbers(model.state_dict()),
        [module.training for module in model.modules()],
        numbers(optimizer.state_dict()),
        numbers(torch.get_rng_state()),
        None if generator is None else numbers(generator.get_state()),
    )


def measured(history: list[Epoch]) -> list[float]:
    """The losses that decide which weights are best: of validation, where there is one."""
    return [
        epoch.train_loss if epoch.validation_loss is None else epoch.validation_loss
        for epoch in history
    ]


# The loop by hand and fit are one


@pytest.mark.parametrize("make_model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("make_optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("make_data", DATA.values(), ids=DATA)
def test_fit_is_the_loop_by_hand_bit_for_bit(
    make_model: Callable[[], nn.Module],
    make_optimizer: Callable[[nn.Module], Optimizer],
    make_data: Callable[[], Iterable[Pair]],
) -> None:
    torch.manual_seed(42)
    model, data = make_model(), make_data()
    optimizer = make_optimizer(model)
    losses, _ = loop_by_hand(model, data, nn.L1Loss(), optimizer, 5)
    state = everything(model, optimizer, data)

    torch.manual_seed(42)
    twin, data = make_model(), make_data()
    optimizer = make_optimizer(twin)
    history = fit(twin, data, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=5)

    assert all(map(torch.equal, model.parameters(), twin.parameters()))
    assert [epoch.train_loss for epoch in history] == losses
    assert everything(twin, optimizer, data) == state


def test_validating_each_epoch_changes_nothing_and_scores_after_the_step() -> None:
    model, optimizer = the_line()
    losses, test_losses = loop_by_hand(model, [TRAIN], nn.L1Loss(), optimizer, 20, TEST)
    twin, optimizer = the_line()
    history = fit(twin, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=20)
    assert [epoch.train_loss for epoch in history] == losses
    assert [epoch.validation_loss for epoch in history] == test_losses
    assert evaluate(twin, TEST, loss_fn=nn.L1Loss())["loss"] == history[-1].validation_loss
    assert torch.equal(
        nn.utils.parameters_to_vector(model.parameters()),
        nn.utils.parameters_to_vector(twin.parameters()),
    )


def test_a_validation_loader_that_shares_the_generator_costs_no_luck() -> None:
    def data() -> tuple[Any, Any]:
        generator = torch.Generator().manual_seed(3)
        return loader(shuffle=True, generator=generator), loader(generator=generator)

    model, optimizer = the_line()
    train, held_out = data()
    for _ in range(3):
        loop_by_hand(model, train, nn.L1Loss(), optimizer, 1)
        evaluate(model, held_out, loss_fn=nn.L1Loss())
    twin, optimizer = the_line()
    fit(twin, *data(), loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=3)
    assert numbers(twin.state_dict()) == numbers(model.state_dict())


def test_train_step_is_the_five_lines() -> None:
    model, optimizer = the_line()
    (loss,), _ = loop_by_hand(model, [TRAIN], nn.L1Loss(), optimizer, 1)
    twin, optimizer = the_line()
    returned = train_step(twin, X, y, loss_fn=nn.L1Loss(), optimizer=optimizer)
    assert returned.item() == loss
    assert not returned.requires_grad
    assert numbers(twin.state_dict()) == numbers(model.state_dict())


def test_train_epoch_is_one_round_of_the_loop_in_train_mode() -> None:
    model, optimizer = the_line()
    (loss,), _ = loop_by_hand(model, DATA["mini-batches"](), nn.L1Loss(), optimizer, 1)
    twin, optimizer = the_line()
    twin.eval()
    data = DATA["mini-batches"]()
    assert train_epoch(twin, data, loss_fn=nn.L1Loss(), optimizer=optimizer) == loss
    assert twin.training
    assert numbers(twin.state_dict()) == numbers(model.state_dict())


def test_a_short_last_batch_counts_by_its_length() -> None:
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    frozen = SGD(model.parameters(), lr=0.0)  # nothing moves, so each loss is |y|
    labels = torch.tensor([[1.0], [1.0], [1.0], [1.0], [6.0]])
    data = batches(torch.zeros(5, 1), labels, batch_size=4)
    assert train_epoch(model, data, loss_fn=nn.L1Loss(), optimizer=frozen) == 2.0  # not 3.5


def test_an_epoch_costs_one_synchronisation(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("item", "tolist", "__bool__", "__float__"):
        original = getattr(Tensor, name)

        def counted(tensor: Tensor, name: str = name, original: Any = original) -> Any:
            calls.append(name)
            return original(tensor)

        monkeypatch.setattr(Tensor, name, counted)

    def synchronisations(epochs: int) -> int:
        calls.clear()
        model, optimizer = the_line()
        fit(
            model,
            batches(X, y, batch_size=8),
            loss_fn=nn.L1Loss(),
            optimizer=optimizer,
            epochs=epochs,
        )
        return len(calls)

    assert synchronisations(15) - synchronisations(5) == 10


# The numbers of the course


def test_the_losses_of_the_line_are_those_of_the_course() -> None:
    model, optimizer = the_line()
    history = fit(model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=100)
    shown = [
        f"{e.train_loss:.5f} {e.validation_loss:.5f}" for e in (history[i] for i in (0, 50, 90))
    ]
    assert shown == ["0.31288 0.48107", "0.04168 0.09920", "0.02789 0.06474"]


@pytest.mark.parametrize(
    ("epochs", "weights", "bias"),
    [(0, 0.3367, 0.1288), (100, 0.5784, 0.3513), (200, 0.6990, 0.3093), (300, 0.6990, 0.3093)],
)
def test_the_parameters_of_the_line_are_those_of_the_course(
    epochs: int, weights: float, bias: float
) -> None:
    model, optimizer = the_line()
    fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=epochs)
    assert [round(p.item(), 4) for p in model.parameters()] == [weights, bias]


def test_a_fixed_lr_with_l1_ends_in_an_exact_two_cycle() -> None:
    model, optimizer = the_line()
    history = fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=300)
    losses = [epoch.train_loss for epoch in history]
    assert losses[-2:] * 20 == losses[-40:]
    assert losses[-1] != losses[-2]


def test_a_linear_layer_starts_and_cycles_as_in_the_course() -> None:
    torch.manual_seed(42)
    model = nn.Linear(1, 1)
    assert [round(p.item(), 4) for p in model.parameters()] == [0.7645, 0.83]
    optimizer = SGD(model.parameters(), lr=0.01)
    history = fit(model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=1000)
    assert [round(p.item(), 4) for p in model.parameters()] == [0.6968, 0.3025]
    assert [round(epoch.train_loss, 5) for epoch in history[-2:]] == [0.00126, 0.01026]
    losses = [epoch.train_loss for epoch in history]
    assert sum(later > earlier for earlier, later in itertools.pairwise(losses)) == 443


# What fit offers


def test_records_carry_metrics_and_the_lr_of_their_epoch() -> None:
    model, optimizer = the_line()
    history = fit(
        model,
        TRAIN,
        TEST,
        loss_fn=nn.MSELoss(),
        optimizer=optimizer,
        epochs=4,
        metrics={"mae": mean_absolute_error},
        scheduler=StepLR(optimizer, step_size=2, gamma=0.5),
    )
    assert [epoch.number for epoch in history] == [0, 1, 2, 3]
    assert [epoch.lr for epoch in history] == [0.01, 0.01, 0.005, 0.005]
    assert history[-1].metrics == {"mae": evaluate(model, TEST, loss_fn=nn.L1Loss())["loss"]}


@pytest.mark.parametrize("validation", [None, TEST], ids=["training loss", "validation loss"])
def test_a_plateau_scheduler_is_told_the_loss(validation: Pair | None) -> None:
    model, optimizer = the_line()
    plateau = ReduceLROnPlateau(optimizer, patience=0, factor=0.1)
    history = fit(
        model,
        TRAIN,
        validation,
        loss_fn=nn.L1Loss(),
        optimizer=optimizer,
        epochs=10,
        scheduler=plateau,
    )
    losses = measured(history)
    assert plateau.best == min(losses)
    assert plateau.last_epoch == 10


def test_a_scheduler_may_warm_up_from_zero() -> None:
    model, optimizer = the_line()
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: epoch / 10)
    history = fit(
        model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=3, scheduler=warm_up
    )
    assert [epoch.lr for epoch in history] == [0.0, 0.001, 0.002]


def test_patience_stops_and_puts_a_copy_of_the_best_weights_back() -> None:
    model, optimizer = the_line()
    history = fit(
        model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=1000, patience=5
    )
    losses = measured(history)
    assert len(losses) < 1000
    assert min(losses) == losses[-6] != losses[-1]
    assert evaluate(model, TEST, loss_fn=nn.L1Loss())["loss"] == min(losses)


def test_patience_without_validation_goes_by_the_training_loss() -> None:
    model, optimizer = the_line()
    history = fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=1000, patience=5)
    losses = [epoch.train_loss for epoch in history]
    assert min(losses) == losses[-6] != losses[-1]
    assert evaluate(model, TRAIN, loss_fn=nn.L1Loss())["loss"] == min(losses)


def test_patience_runs_out_where_the_loss_stays_the_same() -> None:
    model, optimizer = the_line()
    history = fit(
        model,
        TRAIN,
        loss_fn=lambda y_pred, y: 0 * y_pred.sum() + 1,
        optimizer=optimizer,
        epochs=100,
        patience=2,
    )
    assert [epoch.train_loss for epoch in history] == [1, 1, 1]


def test_patience_restores_the_best_also_when_the_epochs_run_out() -> None:
    model, optimizer = the_line()
    history = fit(
        model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=300, patience=300
    )
    losses = measured(history)
    assert losses[-1] > min(losses)
    assert evaluate(model, TEST, loss_fn=nn.L1Loss())["loss"] == min(losses)


def test_a_true_answer_of_on_epoch_stops_the_training() -> None:
    model, optimizer = the_line()
    seen: list[Epoch] = []

    def third(epoch: Epoch) -> bool:
        seen.append(epoch)
        return epoch.number == 2

    history = fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=10, on_epoch=third)
    assert seen == history
    assert len(history) == 3


def test_the_progress_bar_shows_only_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    model, optimizer = the_line()
    fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=2)
    assert capsys.readouterr().err == ""
    fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=2, progress=True)
    bar = capsys.readouterr().err
    assert "2/2" in bar
    assert "loss=" in bar


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")], ids=["name", "torch.device"])
def test_a_device_may_be_a_name_or_a_device_and_momentum_goes_along(
    device: str | torch.device,
) -> None:
    states = []
    for where in (None, device):
        torch.manual_seed(42)
        model = LinearRegressionModel()
        optimizer = OPTIMIZERS["momentum"](model)
        data = batches(X, y, batch_size=16, shuffle=True)
        for epochs in (2, 3):
            fit(
                model,
                data,
                TEST,
                loss_fn=nn.L1Loss(),
                optimizer=optimizer,
                epochs=epochs,
                device=where,
            )
        states.append(everything(model, optimizer, data))
    assert states[0] == states[1]


def test_start_counts_on_from_the_epochs_done() -> None:
    model, optimizer = the_line()
    history = fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=10)
    twin, optimizer = the_line()
    halves = [
        epoch
        for start, epochs in [(0, 4), (4, 10)]
        for epoch in fit(
            twin, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=epochs, start=start
        )
    ]
    assert halves == history


@pytest.mark.parametrize("patience", [None, 3])
def test_no_epochs_change_nothing(patience: int | None) -> None:
    model, optimizer = the_line()
    before = everything(model, optimizer)
    history = fit(
        model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=0, patience=patience
    )
    assert history == []
    assert everything(model, optimizer) == before


def test_lazy_layers_learn_too() -> None:
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, TRAIN, TEST, loss_fn=nn.MSELoss(), optimizer=optimizer, epochs=50)
    assert history[-1].train_loss < history[0].train_loss / 2


def test_a_layer_frozen_in_eval_mode_stays_so() -> None:
    model = MODELS["batch norm and dropout"]()
    norm = next(m for m in model.modules() if isinstance(m, nn.BatchNorm1d)).eval()
    fit(model, TRAIN, TEST, loss_fn=nn.L1Loss(), optimizer=OPTIMIZERS["SGD"](model), epochs=2)
    assert not norm.training
    assert model.training
    assert numbers(norm.running_mean) == numbers(torch.zeros(8))


def test_a_frozen_layer_keeps_its_weights_while_the_others_learn() -> None:
    model = MLP(1, 4, 1)
    first, last = model.layers[0], model.layers[2]
    first.requires_grad_(False)
    before = numbers(first.state_dict()), numbers(last.state_dict())
    optimizer = SGD(last.parameters(), lr=0.1)
    fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=2)
    assert numbers(first.state_dict()) == before[0]
    assert numbers(last.state_dict()) != before[1]


@pytest.mark.parametrize(
    ("model", "loss_fn", "labels"),
    [
        (nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()), nn.BCELoss(), (y > 0.5).float()),
        (nn.Linear(1, 1), nn.BCEWithLogitsLoss(), (y > 0.5).float()),
        (nn.Linear(1, 3), nn.CrossEntropyLoss(), (y > 0.5).long().squeeze()),
        (
            nn.Linear(1, 3),
            nn.CrossEntropyLoss(),
            torch.full((40,), -100).index_fill(0, torch.tensor([1]), 2),
        ),
        (nn.Linear(1, 2), nn.CrossEntropyLoss(), torch.full((40, 2), 0.5)),
        (nn.Linear(1, 1), lambda y_pred, y: (y_pred - y).abs().mean(), y),
    ],
    ids=["BCELoss", "BCEWithLogitsLoss", "classes", "ignored classes", "probabilities", "function"],
)
def test_every_common_loss_learns(model: nn.Module, loss_fn: Any, labels: Tensor) -> None:
    optimizer = Adam(model.parameters(), lr=0.1)
    history = fit(model, (X, labels), loss_fn=loss_fn, optimizer=optimizer, epochs=30)
    assert history[-1].train_loss < history[0].train_loss or history[0].train_loss < 1


def test_embeddings_take_whole_numbers() -> None:
    model = nn.Sequential(nn.Embedding(3, 4), nn.Flatten(), nn.Linear(4, 1))
    data = torch.tensor([0, 1, 2]), torch.tensor([[0.0], [1.0], [2.0]])
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, data, loss_fn=nn.MSELoss(), optimizer=optimizer, epochs=50)
    assert history[-1].train_loss < history[0].train_loss


# The folder


def test_the_folder_keeps_the_last_and_the_best(tmp_path: Path) -> None:
    model, optimizer = the_line()
    history = fit(
        model,
        TRAIN,
        TEST,
        loss_fn=nn.L1Loss(),
        optimizer=optimizer,
        epochs=300,
        folder=tmp_path / "new",
    )
    best = min(history, key=lambda epoch: epoch.validation_loss or 0)
    assert best != history[-1]

    copy = LinearRegressionModel()
    found = load(tmp_path / "new" / "best.pt", copy)
    assert found.metadata == {"validation_loss": best.validation_loss, "epoch": best.number}
    assert found.epoch == best.number + 1
    assert evaluate(copy, TEST, loss_fn=nn.L1Loss())["loss"] == best.validation_loss

    assert load(tmp_path / "new" / "last.pt", copy).epoch == 300
    assert numbers(copy.state_dict()) == numbers(model.state_dict())
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["best.pt", "last.pt"]


def test_without_validation_the_best_are_the_weights_the_lowest_loss_was_measured_from(
    tmp_path: Path,
) -> None:
    model, optimizer = the_line()
    history = fit(
        model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=300, folder=tmp_path
    )
    best = min(history, key=lambda epoch: epoch.train_loss)
    copy = LinearRegressionModel()
    assert load(tmp_path / "best.pt", copy).epoch == best.number
    assert evaluate(copy, TRAIN, loss_fn=nn.L1Loss())["loss"] == best.train_loss


@pytest.mark.parametrize(
    ("other", "metadata", "words"),
    [
        (
            nn.Linear(1, 1),
            {"train_loss": 0.1, "epoch": 1},
            "doesn't fit the model; .*weight, weights",
        ),
        (LinearRegressionModel(), {}, "holds no train_loss; expected .* give another folder"),
    ],
    ids=["another model", "saved by hand"],
)
def test_a_best_that_fit_did_not_keep_is_refused_before_training(
    other: nn.Module, metadata: dict[str, float], words: str, tmp_path: Path
) -> None:
    model, optimizer = the_line()
    save(tmp_path / "best.pt", other, metadata=metadata)
    before = everything(model, optimizer)
    options: dict[str, Any] = {"start": 2, "epochs": 4, "folder": tmp_path}
    with pytest.raises(CheckpointError, match=words):
        fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, **options)
    assert everything(model, optimizer) == before


# What goes wrong, and is said before anything moves


def refused(
    error: type[Exception],
    words: list[str],
    model: nn.Module,
    optimizer: Optimizer,
    data: Any = TRAIN,
    **options: Any,
) -> None:
    """`fit` raises `error` with all these words, and nothing has changed."""
    before = everything(model, optimizer, data)
    arguments: dict[str, Any] = {"loss_fn": nn.MSELoss(), "epochs": 3} | options
    with pytest.raises(error) as caught:
        fit(model, data, optimizer=optimizer, **arguments)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, str(caught.value)
    assert everything(model, optimizer, data) == before


class Once:
    """Not an iterator by type, and yet empty the second time."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = iter(pairs)

    def __iter__(self) -> Iterator[Pair]:
        return self.pairs


def with_nan(tensor: Tensor) -> Tensor:
    return tensor.index_fill(0, torch.tensor([7]), math.nan)


BAD_DATA: dict[str, tuple[Any, type[Exception], list[str]]] = {
    "empty pair": (
        (X[:0], y[:0]),
        ValueError,
        ["train: X", "(0, 1)", "no example", "expected at least one row"],
    ),
    "empty list": ([], ValueError, ["train", "no example", "expected at least one batch (X, y)"]),
    "lengths": (
        (X, y[:39]),
        ValueError,
        ["(40, 1)", "(39, 1)", "expected one label for each", "cut or shuffled apart"],
    ),
    "a scalar": (
        (X, torch.tensor(1.0)),
        ValueError,
        ["train: y", "()", "expected at least one row"],
    ),
    "a list in a batch": (
        [(X, y.tolist())],
        TypeError,
        ["train: y holds a float", "expected a tensor", "workflow.to_tensor"],
    ),
    "batches without labels": (
        [X[:20], X[20:30], X[30:]],
        TypeError,
        ["train yields a Tensor", "expected pairs of tensors (X, y)", "A single pair goes in as"],
    ),
    "no data": (
        7,
        TypeError,
        ["train", "int", "expected a pair of tensors (X, y)", "a DataLoader"],
    ),
    "only X": (X, TypeError, ["train", "Tensor", "expected a pair of tensors (X, y)"]),
    "a dataset": (
        TensorDataset(X, y),
        TypeError,
        ["train", "TensorDataset", "expected", "a DataLoader"],
    ),
    "labels of one axis": (
        (X, y.squeeze()),
        ValueError,
        ["y_pred", "(40, 1)", "(40,)", "expected one shape", "mean", "Use y.reshape(40, 1)"],
    ),
    "labels of two columns": (
        (X, torch.zeros(40, 2)),
        ValueError,
        ["y_pred", "(40, 1)", "(40, 2)", "expected one shape", "Check the model's last layer"],
    ),
    "float64": (
        (X.double(), y),
        TypeError,
        ["train: X", "torch.float64", "torch.float32", "expected one dtype", "X.to(torch.float32)"],
    ),
    "whole numbers": (
        (torch.arange(40).unsqueeze(1), y),
        TypeError,
        ["train: X", "torch.int64", "torch.float32", "expected one dtype", "X.to(torch.float32)"],
    ),
    "NaN in X": (
        (with_nan(X), y),
        ValueError,
        ["train: X", "1 of 40 rows", "row 7: [nan]", "expected finite numbers", "Fill or drop"],
    ),
    "infinity in y": (
        (X, y / (X - 0.5).round(decimals=2)),
        ValueError,
        ["train: y", "1 of 40 rows", "row 25: [inf]", "expected finite numbers", "Fill or drop"],
    ),
    "NaN in the last batch": (
        batches(X, y, batch_size=16, shuffle=True).__class__(
            X, with_nan(y), 16, True, torch.Generator()
        ),
        ValueError,
        ["train: y", "NaN", "expected finite numbers"],
    ),
    "iterator": (
        iter([TRAIN]),
        TypeError,
        ["train", "list_iterator", "walked only once", "second epoch", "Give a pair"],
    ),
    "zip": (
        zip(X.split(8), y.split(8), strict=True),
        TypeError,
        ["train", "zip", "walked only once"],
    ),
}


@pytest.mark.parametrize(("data", "error", "words"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_is_refused(data: Any, error: type[Exception], words: list[str]) -> None:
    refused(error, words, *a_layer(), data)


def test_data_that_is_empty_the_second_time_ends_the_second_epoch() -> None:
    model, optimizer = the_line()
    with pytest.raises(ValueError, match=r"data holds no batch; .*\(X, y\).*give a pair") as caught:
        fit(model, Once([TRAIN]), loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=3)
    assert [epoch.number for epoch in caught.value.history] == [0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_validation_data_is_refused_by_its_name(name: str) -> None:
    data, error, words = BAD_DATA[name]
    words = [word.replace("train", "validation") for word in words]
    refused(error, words, *a_layer(), validation=data)


BAD_ARGUMENTS: dict[str, tuple[dict[str, Any], type[Exception], list[str]]] = {
    "negative epochs": (
        {"epochs": -1},
        ValueError,
        ["epochs is -1", "expected a whole number, 0 or more"],
    ),
    "half an epoch": (
        {"epochs": 1.5},
        TypeError,
        ["epochs is 1.5 (float)", "expected a whole number"],
    ),
    "true epochs": ({"epochs": True}, TypeError, ["epochs is True (bool)", "whole number"]),
    "negative start": ({"start": -1}, ValueError, ["start is -1", "0 or more"]),
    "start beyond the end": (
        {"start": 4},
        ValueError,
        ["start is 4", "epochs 3", "expected epochs to be 4 or more", "counts all epochs"],
    ),
    "no patience": ({"patience": 0}, ValueError, ["patience is 0", "1 or more"]),
    "metrics on nothing": (
        {"metrics": {"mae": mean_absolute_error}},
        ValueError,
        ["metrics", "validation", "expected data"],
    ),
    "a metric named loss": (
        {"metrics": {"loss": mean_absolute_error}, "validation": TEST},
        ValueError,
        ["metrics", '"loss"', "expected another name"],
    ),
}


@pytest.mark.parametrize(("options", "error", "words"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused(
    options: dict[str, Any], error: type[Exception], words: list[str]
) -> None:
    refused(error, words, *the_line(), **options)


@pytest.mark.parametrize("lr", [0.0, -0.1, math.nan, math.inf])
def test_an_lr_that_is_not_more_than_zero_is_refused(lr: float) -> None:
    model, optimizer = the_line()
    optimizer.param_groups[0]["lr"] = lr
    words = [f"lr of group 0 is {lr:g}", "expected more than 0", "such as 0.01"]
    with pytest.raises(ValueError, match="optimizer") as caught:
        fit(model, TRAIN, loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=1)
    assert all(word in str(caught.value) for word in words)


OPTIMIZER_REMEDY = ["would never learn", "replaced after the optimizer was made", "Make the optim"]


def test_an_optimizer_of_another_model_is_refused() -> None:
    stranger = SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    words = ["optimizer holds 2 parameters", "2 of them not the model's", "[(1, 1), (1,)]"]
    refused(ValueError, words + OPTIMIZER_REMEDY, LinearRegressionModel(), stranger)


def test_an_optimizer_made_before_a_layer_was_replaced_is_refused() -> None:
    model = MLP(1, 4, 1)
    optimizer = SGD(model.parameters(), lr=0.1)
    model.layers[2] = nn.Linear(4, 1)
    words = ["optimizer holds 4 parameters", "2 of them not the model's", "[(1, 4), (1,)]"]
    refused(ValueError, words + OPTIMIZER_REMEDY, model, optimizer)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = ["was not written", "Choose a folder that can be written"]
    refused(OSError, words, *the_line(), folder=tmp_path / "file" / "runs")


def test_batches_that_are_no_pairs_are_named_with_a_device_too() -> None:
    words = ["train yields a tuple; expected pairs of tensors"]
    refused(TypeError, words, *the_line(), [(X, y, y)], device="cpu")
    refused(TypeError, ["train: X holds a float"], *the_line(), [([1.0], [2.0])], device="cpu")


def test_labels_on_another_device_are_refused() -> None:
    words = ["train: X is torch.float32 (40, 1) on cpu; y is torch.float32 (40, 1) on meta"]
    refused(ValueError, words, *the_line(), (X, y.to("meta")))


def test_a_model_that_is_frozen_altogether_is_refused() -> None:
    model, optimizer = the_line()
    model.requires_grad_(False)
    words = ["optimizer holds 2 parameters, all of them frozen", "requires_grad_(True)"]
    refused(ValueError, words, model, optimizer)


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_a_loss_that_is_no_mean_is_refused(reduction: str) -> None:
    words = [f"loss_fn has reduction='{reduction}'", "expected 'mean'", "without reduction="]
    refused(ValueError, words, *the_line(), loss_fn=nn.L1Loss(reduction=reduction))


def test_an_optimizer_that_needs_a_closure_is_refused() -> None:
    model = LinearRegressionModel()
    words = ["optimizer is an LBFGS", "expected one", "such as SGD or Adam"]
    refused(TypeError, words, model, torch.optim.LBFGS(model.parameters()))


def test_a_scheduler_of_another_optimizer_is_refused() -> None:
    scheduler = StepLR(the_line()[1], step_size=1)
    words = ["scheduler was made for another optimizer", "Make the scheduler again"]
    refused(ValueError, words, *the_line(), scheduler=scheduler)


def test_a_loss_with_parameters_of_its_own_may_share_the_optimizer() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, y_pred: Tensor, y: Tensor) -> Tensor:
            return ((y_pred - y).abs() * self.scale.exp() - self.scale).mean()

    model, loss_fn = LinearRegressionModel(), Scaled()
    optimizer = SGD([*model.parameters(), *loss_fn.parameters()], lr=0.01)
    fit(model, TRAIN, loss_fn=loss_fn, optimizer=optimizer, epochs=2)
    assert loss_fn.scale.item() != 1

    only_loss = SGD(loss_fn.parameters(), lr=0.01)
    refused(ValueError, ["would never learn"], model, only_loss, loss_fn=loss_fn)


def test_model_and_data_on_two_devices_are_refused() -> None:
    model = nn.Linear(1, 1, device="meta")
    words = ["train: X", "is on cpu", "model on meta", "expected one device", "model.to(device)"]
    refused(ValueError, words, model, SGD(model.parameters(), lr=0.1))


YES = (y > 0.5).float()
BAD_LABELS: dict[str, tuple[nn.Module, Any, Tensor, type[Exception], list[str]]] = {
    "logits into BCELoss": (
        nn.Linear(1, 1),
        nn.BCELoss(),
        YES,
        ValueError,
        ["y_pred runs from", "BCELoss expected probabilities", "logits", "nn.BCEWithLogitsLoss"],
    ),
    "whole labels for BCE": (
        nn.Linear(1, 1),
        nn.BCEWithLogitsLoss(),
        YES.long(),
        TypeError,
        ["y is torch.int64", "BCEWithLogitsLoss expected floats", "y.float()"],
    ),
    "labels beyond one for BCE": (
        nn.Linear(1, 1),
        nn.BCEWithLogitsLoss(),
        2 * YES,
        ValueError,
        ["y runs from 0 to 2", "expected labels from 0 to 1", "nn.CrossEntropyLoss"],
    ),
    "a class too many": (
        nn.Linear(1, 3),
        nn.CrossEntropyLoss(),
        3 * YES.long().squeeze(),
        ValueError,
        ["y runs from 0 to 3", "3 outputs", "expected labels from 0 to 2", "one output a class"],
    ),
    "a negative class": (
        nn.Linear(1, 3),
        nn.CrossEntropyLoss(),
        YES.long().squeeze() - 1,
        ValueError,
        ["y runs from -1 to 0", "expected labels from 0 to 2"],
    ),
    "classes as floats": (
        nn.Linear(1, 3),
        nn.CrossEntropyLoss(),
        YES.squeeze(),
        TypeError,
        ["y is torch.float32", "CrossEntropyLoss expected class numbers", "y.long()"],
    ),
    "classes in a column": (
        nn.Linear(1, 3),
        nn.CrossEntropyLoss(),
        YES.long(),
        ValueError,
        ["(16, 3)", "(16, 1)", "expected one class number an example", "Use y.flatten()"],
    ),
}


@pytest.mark.parametrize(
    ("model", "loss_fn", "labels", "error", "words"), BAD_LABELS.values(), ids=BAD_LABELS
)
def test_labels_that_the_loss_cannot_take_are_refused(
    model: nn.Module, loss_fn: Any, labels: Tensor, error: type[Exception], words: list[str]
) -> None:
    data = Batches(X, labels, 16, True, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(2.0)
    words = [word.replace("(40,", "(16,") for word in words]
    refused(error, words, model, SGD(model.parameters(), lr=0.1), data, loss_fn=loss_fn)


def test_train_step_and_train_epoch_refuse_labels_of_one_axis_too() -> None:
    model, optimizer = the_line()
    before = everything(model, optimizer)
    with pytest.raises(ValueError, match=r"\(40, 1\) and y \(40,\).*Use y.reshape\(40, 1\)"):
        train_step(model, X, y.squeeze(), loss_fn=nn.MSELoss(), optimizer=optimizer)
    with pytest.raises(ValueError, match=r"\(40, 1\) and y \(40,\).*Use y.reshape\(40, 1\)"):
        train_epoch(model, (X, y.squeeze()), loss_fn=nn.MSELoss(), optimizer=optimizer)
    assert everything(model, optimizer) == before


def test_train_epoch_refuses_no_data() -> None:
    model, optimizer = the_line()
    with pytest.raises(ValueError, match="data holds no batch; expected at least one"):
        train_epoch(model, [], loss_fn=nn.MSELoss(), optimizer=optimizer)


# Divergence


@pytest.mark.parametrize(
    ("validation", "options"),
    [(None, {}), (TEST, {}), (TEST, {"patience": 50}), (None, {"patience": 50})],
    ids=["bare", "validation", "patience", "patience without validation"],
)
@pytest.mark.parametrize("keep", [False, True], ids=["no folder", "folder"])
def test_a_loss_that_blows_up_is_an_error_and_the_best_weights_are_back(
    validation: Pair | None, options: dict[str, Any], keep: bool, tmp_path: Path
) -> None:
    model, _ = the_line()
    optimizer = SGD(model.parameters(), lr=10)
    folder = tmp_path if keep else None
    with pytest.raises(DivergedError) as caught:
        fit(
            model,
            TRAIN,
            validation,
            loss_fn=nn.MSELoss(),
            optimizer=optimizer,
            epochs=100,
            folder=folder,
            **options,
        )
    message, history = str(caught.value), caught.value.history
    assert f"in epoch {len(history)}, with lr 10" in message
    assert "a loss became inf" in message or "a loss became nan" in message
    assert "expected finite numbers. Try a smaller lr, such as 1, and a tenth" in message
    losses = measured(history)
    assert all(map(math.isfinite, losses))
    if not (keep or options):
        assert "Build the model and the optimizer again: they hold what blew up." in message
        return
    name = "train loss" if validation is None else "validation loss"
    assert f"again those of epoch 0, {name} {losses[0]:.4g}; the optimizer is as" in message
    data = TRAIN if validation is None else TEST
    assert evaluate(model, data, loss_fn=nn.MSELoss())["loss"] == losses[0] == min(losses)
    if keep:
        assert numbers(read_checkpoint(tmp_path / "best.pt")["model"]) == numbers(
            dict(model.state_dict())
        )


def test_a_loss_that_is_not_finite_at_once_leaves_the_first_weights() -> None:
    model, optimizer = the_line()
    before = numbers(model.state_dict())
    with pytest.raises(DivergedError, match=r"nan in epoch 0, .* again the first") as caught:
        fit(
            model,
            TRAIN,
            loss_fn=lambda y_pred, y: (y_pred - y).mean() * math.nan,
            optimizer=optimizer,
            epochs=3,
            patience=2,
        )
    assert caught.value.history == []
    assert numbers(model.state_dict()) == before


def test_weights_that_blow_up_in_the_last_step_are_noticed() -> None:
    model, optimizer = the_line()
    before = numbers(model.state_dict())
    optimizer.param_groups[0]["lr"] = 3e38  # the only step ends beyond float32
    with pytest.raises(DivergedError, match="a weight became NaN or infinite in epoch 0") as caught:
        fit(
            model,
            TRAIN,
            loss_fn=lambda y_pred, y: 10 * (y_pred - y).abs().mean(),
            optimizer=optimizer,
            epochs=1,
            patience=2,
        )
    assert len(caught.value.history) == 1
    assert numbers(model.state_dict()) == before

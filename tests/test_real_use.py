"""Real use: models, loaders, optimizers and files as people bring them, scikit-learn as a judge."""

from __future__ import annotations

import copy
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # its types come apart, for a few tables
import pytest
import sklearn.metrics  # type: ignore[import-untyped]  # ships none
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, lr_scheduler
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, TensorDataset

from workflow import (
    MLP,
    DivergedError,
    Epoch,
    accuracy,
    batches,
    confusion_matrix,
    evaluate,
    fit,
    load,
    mean_absolute_error,
    mean_squared_error,
    predict,
    r2_score,
    read_checkpoint,
    save,
    split,
    to_tensor,
    train_epoch,
    train_step,
)

torch.manual_seed(0)
X = torch.randn(48, 4)
Y = X @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]]) + 0.1 * torch.randn(48, 1)
LABELS = (Y.flatten() > 0).long() + (Y.flatten() > 2).long()  # three classes
MSE, CE = nn.MSELoss(), nn.CrossEntropyLoss()


def by_hand(model: nn.Module, train: Any, loss_fn: Any, optimizer: Optimizer, epochs: int) -> None:
    for _ in range(epochs):
        model.train()
        for X, y in train:
            loss = loss_fn(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def same(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return states[0].keys() == states[1].keys() and all(
        map(torch.equal, states[0].values(), states[1].values())
    )


def twins(make: Callable[[], nn.Module], **options: Any) -> list[tuple[nn.Module, Optimizer]]:
    """The same model twice, each with an optimizer of its own."""
    pairs: list[tuple[nn.Module, Optimizer]] = []
    for _ in range(2):
        torch.manual_seed(1)
        model = make()
        pairs.append((model, SGD(model.parameters(), **{"lr": 0.05, "momentum": 0.9} | options)))
    return pairs


# Models with a will of their own


class LoRA(nn.Module):
    """A frozen layer and a low-rank one beside it; merged into one in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1).requires_grad_(False)
        self.A = nn.Parameter(torch.randn(2, 4))
        self.B = nn.Parameter(torch.zeros(1, 2))
        self.merged = False

    def train(self, mode: bool = True) -> LoRA:
        super().train(mode)
        if self.merged == mode:
            sign = -1 if mode else 1
            self.layer.weight.data += sign * (self.B @ self.A).detach()
            self.merged = not mode
        return self

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x)
        return out if self.merged else out + x @ self.A.T @ self.B.T


@pytest.mark.parametrize("inside", [False, True], ids=["whole", "a part"])
def test_layers_that_merge_in_eval_mode_learn_and_stay_consistent(inside: bool) -> None:
    def make() -> nn.Module:
        return nn.Sequential(LoRA()) if inside else LoRA()

    (model, optimizer), (twin, its_optimizer) = twins(make)
    for _ in range(5):
        by_hand(model, [(X, Y)], MSE, optimizer, 1)
        model.eval()
        model.train()
    fit(twin, (X, Y), (X, Y), loss_fn=MSE, optimizer=its_optimizer, epochs=5)
    assert same(model, twin)
    assert all(p.abs().sum() > 0 for p in twin.parameters())  # B set out from zero
    assert torch.allclose(predict(twin, X), twin(X), atol=1e-5)


def test_a_layer_that_was_merged_before_is_merged_after() -> None:
    layer = LoRA()
    model = nn.Sequential(layer, nn.ReLU())
    layer.B.data.fill_(1.0)
    layer.eval()
    before = predict(model, X)
    assert [model.training, layer.training, layer.merged] == [True, False, True]
    assert torch.allclose(model(X), before, atol=1e-5)


class Averages(nn.Module):
    """Keeps a running mean in a buffer that it replaces, and counts its calls beside it."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.register_buffer("mean", torch.zeros(()))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean()
        return self.layer(x) + self.mean  # type: ignore[no-any-return]


def test_the_best_weights_have_the_buffers_that_were_replaced(tmp_path: Path) -> None:
    model = Averages()
    shifted = X + 5
    history = fit(
        model,
        (shifted, Y),
        (shifted, Y),
        loss_fn=MSE,
        optimizer=SGD(model.parameters(), lr=0.005),
        epochs=10,
        patience=10,
        folder=tmp_path,
    )
    fresh = Averages()
    load(tmp_path / "best.pt", fresh)
    best = min(e.validation_loss for e in history if e.validation_loss is not None)
    for kept in (model, fresh):
        assert evaluate(kept, (shifted, Y), loss_fn=MSE)["loss"] == pytest.approx(best)
        assert kept.mean != 0


def test_a_model_is_asked_as_often_as_by_hand() -> None:
    model = Averages()
    fit(
        model,
        batches(X, Y, batch_size=16),
        loss_fn=MSE,
        optimizer=SGD(model.parameters(), lr=0.01),
        epochs=3,
    )
    assert model.calls == 9


class Grows(nn.Module):
    """Makes a table the first time it sees so many rows, and keeps it."""

    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.register_buffer("table", torch.zeros(0))

    def forward(self, x: Tensor) -> Tensor:
        if len(self.table) < len(x):
            self.table = torch.ones(len(x)).cumsum(0)
        return self.layer(x) * self.table[: len(x), None].sign()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "make", [Grows, lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))]
)
def test_a_model_that_completes_itself_when_asked_can_learn_afterwards(make: Any) -> None:
    model = make()
    predict(model, X[:8])
    optimizer = SGD(model.parameters(), lr=0.01)
    history = fit(model, (X, Y), (X, Y), loss_fn=MSE, optimizer=optimizer, epochs=3, patience=1)
    assert len(history) == 3


def test_lazy_layers_are_drawn_as_by_hand() -> None:
    (model, optimizer), (twin, its_optimizer) = twins(
        lambda: nn.Sequential(nn.LazyLinear(8), nn.Dropout(0.5), nn.LazyLinear(1))
    )
    torch.manual_seed(3)
    by_hand(model, [(X, Y)], MSE, optimizer, 3)
    torch.manual_seed(3)
    fit(twin, (X, Y), loss_fn=MSE, optimizer=its_optimizer, epochs=3)
    assert same(model, twin)


def test_predictions_can_be_learned_from_and_through() -> None:
    teacher, student = MLP(4, 8, 1), MLP(4, 8, 1)
    fit(
        student,
        (X, predict(teacher, X)),
        loss_fn=MSE,
        optimizer=Adam(student.parameters()),
        epochs=2,
    )
    backbone, head = MLP(4, 8, 8), nn.Linear(8, 1)
    features = predict(backbone, X)
    assert not features.is_inference()
    assert not features.requires_grad
    fit(head, (features, Y), loss_fn=MSE, optimizer=Adam(head.parameters()), epochs=2)


# What was refused, and is right


class Normalised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x.float() / 255)).relu()
        return self.head(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]


class OneHot(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(5, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        one_hot = nn.functional.one_hot(tokens, 5).float()
        return self.head(one_hot.mean(dim=1))  # type: ignore[no-any-return]


class Modulus(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.abs())  # type: ignore[no-any-return]


class Force(nn.Module):
    """Predicts a slope, as models of physics do: it needs gradients to predict at all."""

    def __init__(self) -> None:
        super().__init__()
        self.energy = MLP(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.energy(x).sum(), x, create_graph=True)
        return slope[:, :1]


class TimeMajor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(2, 6), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)  # (time, examples, 6)
        return self.head(out[-1])  # type: ignore[no-any-return]


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(5, 4, padding_idx=0), nn.Linear(4, 3)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        vectors = self.table(tokens)
        if mask is not None:
            vectors = vectors * mask[..., None]
        return self.head(vectors.mean(dim=1))  # type: ignore[no-any-return]


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 8), nn.Linear(2, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.head((self.left(left) + self.right(right)).relu())  # type: ignore[no-any-return]


class Pairs(nn.Module):
    """Returns a tuple: a prediction, and what it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(4, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.inner(x).relu()
        return self.head(hidden), hidden


IMAGES = torch.randint(0, 256, (48, 1, 6, 6), dtype=torch.uint8)
TOKENS = torch.randint(1, 5, (48, 7))
SERIES = torch.randn(9, 48, 2)
BCE = nn.BCEWithLogitsLoss()
CASES: dict[str, tuple[Callable[[], nn.Module], Any, Any, Any]] = {
    "bytes normalised inside": (Normalised, IMAGES, LABELS, CE),
    "bytes as labels": (lambda: nn.Linear(4, 3), X, LABELS.to(torch.uint8), CE),
    "tokens made one-hot inside": (OneHot, TOKENS, LABELS, CE),
    "complex features": (Modulus, torch.complex(X, X), Y, MSE),
    "a loss that squeezes": (
        lambda: nn.Linear(4, 1),
        X,
        (LABELS > 0).float(),
        lambda y_pred, y: BCE(y_pred.squeeze(1), y),
    ),
    "KLDivLoss": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1)),
        X,
        nn.functional.one_hot(LABELS, 3).float(),
        nn.KLDivLoss(reduction="batchmean"),
    ),
    "gradients in forward": (Force, X, Y, MSE),
    "time before examples": (TimeMajor, SERIES, Y, MSE),
    "an embedding": (Words, TOKENS, LABELS, CE),
    "two inputs": (TwoInputs, (X, X[:, :2]), Y, MSE),
    "two inputs by name": (TwoInputs, {"right": X[:, :2], "left": X}, Y, MSE),
    "a mask by name": (Words, {"tokens": TOKENS, "mask": (TOKENS > 1).float()}, LABELS, CE),
    "a tuple predicted": (
        Pairs,
        X,
        Y,
        lambda y_pred, y: MSE(y_pred[0], y) + y_pred[1].square().mean(),
    ),
}


def hand_call(model: nn.Module, X: Any) -> Any:
    return model(**X) if isinstance(X, dict) else model(*X) if isinstance(X, tuple) else model(X)


@pytest.mark.parametrize(("make", "features", "labels", "loss_fn"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("device", [None, "cpu"])
def test_what_works_by_hand_works_in_fit(
    make: Callable[[], nn.Module], features: Any, labels: Tensor, loss_fn: Any, device: str | None
) -> None:
    (model, optimizer), (twin, its_optimizer) = twins(make)
    for _ in range(3):
        loss = loss_fn(hand_call(model, features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    data = (features, labels)
    history = fit(
        twin, data, data, loss_fn=loss_fn, optimizer=its_optimizer, epochs=3, device=device
    )
    assert same(model, twin)
    assert history[-1].validation_loss == evaluate(twin, data, loss_fn=loss_fn)["loss"]
    twin.eval()
    with torch.no_grad():
        expected = hand_call(twin, features)
    predicted = predict(twin, features)
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            expected if isinstance(expected, tuple) else [expected],
            predicted if isinstance(predicted, tuple) else [predicted],
            strict=True,
        )
    )


@pytest.mark.parametrize("name", [name for name in CASES if name != "time before examples"])
def test_trees_of_tensors_are_divided_batched_and_predicted_for(name: str) -> None:
    make, features, labels, loss_fn = CASES[name]
    torch.manual_seed(2)
    model = make()
    train, held_out = split(features, labels)
    data = batches(*train, batch_size=10, shuffle=True)
    optimizer = SGD(model.parameters(), lr=0.01)
    history = fit(model, data, held_out, loss_fn=loss_fn, optimizer=optimizer, epochs=2)
    assert all(math.isfinite(epoch.train_loss) for epoch in history)
    loss = evaluate(model, batches(*held_out, batch_size=3), loss_fn=loss_fn)["loss"]
    assert loss == pytest.approx(history[-1].validation_loss, rel=1e-4)
    whole, parts = predict(model, held_out[0]), predict(model, held_out[0], batch_size=3)
    walked = predict(model, batches(*held_out, batch_size=4, shuffle=True))
    for a, b, c in zip(
        *(p if isinstance(p, tuple) else [p] for p in (whole, parts, walked)), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-6)
        assert torch.allclose(a, c, atol=1e-6)


def test_a_pair_may_have_labels_in_a_tuple() -> None:
    class Two(nn.Linear):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x), x.mean(dim=1)

    model, pair = Two(4, 1), (X, (Y, X.mean(dim=1)))
    by_batches = batches(*pair, batch_size=len(X))

    def both(y_pred: Any, y: Any) -> Tensor:
        losses: list[Tensor] = [MSE(p, labels) for p, labels in zip(y_pred, y, strict=True)]
        return losses[0] + losses[1]

    assert evaluate(model, pair, loss_fn=both) == evaluate(model, by_batches, loss_fn=both)
    [epoch] = fit(model, pair, pair, loss_fn=both, **sgd(model))
    assert epoch.validation_loss is not None
    assert epoch.validation_loss < epoch.train_loss


def test_batches_of_texts_of_different_lengths_are_scored_and_learned_from() -> None:
    class Tags(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(5, 4), nn.Linear(4, 3)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.head(self.table(tokens)).transpose(1, 2)  # type: ignore[no-any-return]

    data = [(torch.randint(5, (4, n)), torch.randint(3, (4, n))) for n in (2, 5, 3)]
    model = Tags()
    scores = evaluate(model, data, loss_fn=CE)
    flat = torch.cat([model(tokens).transpose(1, 2).reshape(-1, 3) for tokens, _ in data])
    assert scores["loss"] == pytest.approx(
        CE(flat, torch.cat([y.flatten() for _, y in data])).item()
    )
    frozen = SGD(model.parameters(), lr=0.0)
    assert train_epoch(model, data, loss_fn=CE, optimizer=frozen) == pytest.approx(scores["loss"])
    with pytest.raises(ValueError, match=r"metrics need all predictions in one.*Pad them"):
        evaluate(model, data, loss_fn=CE, metrics={"accuracy": accuracy})


def test_a_packed_sequence_goes_in_as_it_is() -> None:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(2, 6, batch_first=True), nn.Linear(6, 1)

        def forward(self, packed: Any) -> Tensor:
            return self.head(self.lstm(packed)[1][0][0])  # type: ignore[no-any-return]

    packed = nn.utils.rnn.pack_padded_sequence(
        torch.randn(3, 5, 2), torch.tensor([5, 3, 2]), batch_first=True
    )
    model = Packed()
    data = (packed, torch.zeros(3, 1))
    fit(model, data, data, loss_fn=MSE, optimizer=SGD(model.parameters(), lr=0.1), epochs=2)
    assert predict(model, packed).shape == (3, 1)
    twice = [(packed, packed)] * 2
    fit(model, twice, loss_fn=lambda y_pred, y: MSE(y_pred, y.data[:3, :1]), **sgd(model))
    with pytest.raises(TypeError, match=r"X holds PackedSequence; expected tensors with a row"):
        split(*data)


def test_one_group_may_stand_still() -> None:
    first, last = nn.Linear(4, 4), nn.Linear(4, 1)
    model = nn.Sequential(first, last)
    groups: list[dict[str, Any]] = [{"params": first.parameters(), "lr": 0.0}]
    groups.append({"params": last.parameters()})
    before = copy.deepcopy(first.state_dict())
    fit(model, (X, Y), loss_fn=MSE, optimizer=SGD(groups, lr=0.1), epochs=2)
    assert torch.equal(first.weight, before["weight"])


# Data that is drawn


class Drawn(Dataset[tuple[Tensor, Tensor]]):
    """Adds noise of its own generator to each example."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(5)

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return X[index] + 0.1 * torch.randn(4, generator=self.generator), Y[index]


class CountsEpochs(Sampler[int]):
    def __init__(self) -> None:
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        self.epoch += 1
        order = torch.randperm(48, generator=torch.Generator().manual_seed(self.epoch))
        return iter(order.tolist())

    def __len__(self) -> int:
        return 48


def noisy(seed: int) -> None:
    """A worker starts with noise of its own."""
    torch.utils.data.get_worker_info().dataset.generator.manual_seed(seed % 1000)  # type: ignore[union-attr]


LOADERS: dict[str, Callable[[], Any]] = {
    "a dataset with its own generator": lambda: DataLoader(Drawn(), batch_size=10, shuffle=True),
    "persistent workers": lambda: DataLoader(
        Drawn(),
        batch_size=10,
        shuffle=True,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context="fork" if sys.platform == "linux" else None,
    ),
    "a sampler that counts epochs": lambda: DataLoader(
        TensorDataset(X, Y), batch_size=10, sampler=CountsEpochs()
    ),
}


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS)
def test_what_is_drawn_by_hand_is_drawn_in_fit(make: Callable[[], Any]) -> None:
    (model, optimizer), (twin, its_optimizer) = twins(lambda: MLP(4, 8, 1))
    torch.manual_seed(3)
    by_hand(model, make(), MSE, optimizer, 3)
    state = torch.get_rng_state()
    torch.manual_seed(3)
    fit(twin, make(), loss_fn=MSE, optimizer=its_optimizer, epochs=3)
    assert same(model, twin)
    assert torch.equal(torch.get_rng_state(), state)


class Endless(IterableDataset[tuple[Tensor, Tensor]]):
    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield X[0], Y[0]


def test_an_endless_stream_is_learned_from_until_it_is_stopped() -> None:
    model = MLP(4, 8, 1)
    steps = iter(range(5))

    def five_steps(model: nn.Module) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        fit(
            model,
            DataLoader(Endless(), batch_size=8),
            loss_fn=MSE,
            optimizer=SGD(model.parameters(), lr=0.01),
            epochs=1,
            before_step=five_steps,
        )
    assert caught.value.history == []  # type: ignore[attr-defined]
    wrong, narrow = DataLoader(Endless(), batch_size=8), nn.Linear(3, 1)
    with pytest.raises(ValueError, match=r"train, batch 0: X is .*\(8, 4\).*can't take it"):
        fit(narrow, wrong, loss_fn=MSE, **sgd(narrow))


def sgd(model: nn.Module) -> dict[str, Any]:
    return {"optimizer": SGD(model.parameters(), lr=0.01), "epochs": 1}


def streamed(*pairs: Any) -> Any:
    class Stream:
        def __iter__(self) -> Iterator[Any]:
            return iter(pairs)

    return Stream()


@pytest.mark.parametrize(
    ("late", "error", "message"),
    [
        ((X / 0, Y), ValueError, r"^train, batch 2: X holds NaN or infinity in 48 of 48 rows"),
        ((X, Y * math.nan), ValueError, r"^train, batch 2: y holds NaN"),
        (X, TypeError, r"^train, batch 2 yields a Tensor; expected pairs of tensors"),
        ((X[:, :3], Y), ValueError, r"^train, batch 2: X is torch.float32 \(48, 3\) on cpu; y is"),
        (
            (X, Y[:, 0]),
            ValueError,
            r"^train, batch 2: X is .*y_pred has shape \(48, 1\) and y \(48,",
        ),
        ((X[:0], Y[:0]), ValueError, r"^train, batch 2: X has shape \(0, 4\) and holds no example"),
    ],
)
def test_a_batch_that_comes_late_and_is_wrong_is_named(
    late: Any, error: type[Exception], message: str
) -> None:
    model = nn.Linear(4, 1)
    with pytest.raises(error, match=message):
        fit(model, streamed((X, Y), (X, Y), late), loss_fn=MSE, **sgd(model))


def test_what_torch_cannot_look_through_is_taken_on_trust() -> None:
    model = nn.Linear(4, 1)
    model.register_parameter("small", nn.Parameter(X[0].to(torch.float8_e4m3fn), False))
    sparse = (X * (X > 0)).to_sparse()
    [epoch] = fit(model, (sparse, Y), (sparse, Y), loss_fn=MSE, **sgd(model))
    assert epoch.validation_loss is not None
    assert epoch.validation_loss < epoch.train_loss


def test_a_scripted_model_learns_as_the_one_it_was_made_from(tmp_path: Path) -> None:
    model, scripted = make_scripted()
    options: dict[str, Any] = {"loss_fn": MSE, "patience": 2}
    histories = [
        fit(one, (X, Y), (X, Y), folder=tmp_path / str(n), **options, **sgd(one))
        for n, one in enumerate((model, scripted))
    ]
    assert histories[0] == histories[1]
    load(tmp_path / "1" / "best.pt", scripted)
    with pytest.raises(ValueError, match=r"train: X is torch.float32 \(\d+, 1\).*torch says"):
        fit(scripted, (X[:, :1], Y), loss_fn=MSE, **sgd(scripted))


def make_scripted() -> tuple[nn.Module, nn.Module]:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would have us export
        return model, torch.jit.script(copy.deepcopy(model))


def test_numbers_that_come_on_an_accelerator_are_not_waited_for() -> None:
    model = nn.Linear(4, 1)
    with pytest.raises(ValueError, match=r"train, batch 0: X is on meta and the model on cpu"):
        fit(model, streamed((X.to("meta"), Y)), loss_fn=MSE, **sgd(model))


def test_an_error_of_its_own_kind_comes_through_as_it_is() -> None:
    class OutOfRoomError(RuntimeError):
        pass

    class Fails(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            raise OutOfRoomError("no memory")

    model = Fails(4, 1)
    with pytest.raises(OutOfRoomError, match=r"^no memory$"):
        fit(model, (X, Y), loss_fn=MSE, **sgd(model))
    with pytest.raises(OutOfRoomError, match=r"^no memory$"):
        predict(model, X)


@pytest.mark.parametrize("streams", [False, True], ids=["Batches", "DataLoader"])
def test_a_last_batch_of_one_is_refused_where_batch_norm_cannot_take_it(streams: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model.eval()
    before = copy.deepcopy(model.state_dict())
    data: Any = batches(X, Y, batch_size=47)
    if streams:
        data = DataLoader(TensorDataset(X, Y), batch_size=47)
    with pytest.raises(
        ValueError, match=r"train: the last batch has one example.*BatchNorm1d.*drop_last=True"
    ):
        fit(model, data, loss_fn=MSE, **sgd(model))
    assert all(map(torch.equal, before.values(), model.state_dict().values()))
    assert not model.training
    fit(model, batches(X, Y, batch_size=47, drop_last=True), loss_fn=MSE, **sgd(model))
    fit(
        model,
        DataLoader(TensorDataset(X, Y), batch_size=47, drop_last=True),
        loss_fn=MSE,
        **sgd(model),
    )
    pictures = Normalised()
    fit(pictures, batches(IMAGES, LABELS, batch_size=47), loss_fn=CE, **sgd(pictures))
    frozen = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4).eval(), nn.Linear(4, 1))
    fit(frozen, batches(X, Y, batch_size=47), loss_fn=MSE, **sgd(frozen))


def test_an_error_in_the_first_step_leaves_no_trace_of_it() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    data = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
    before, luck = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    with pytest.raises(ValueError, match=r"\(16, 2\) and y \(16, 1\)"):
        fit(model, data, loss_fn=MSE, **sgd(model))
    assert all(map(torch.equal, before.values(), model.state_dict().values()))
    assert torch.equal(torch.get_rng_state(), luck)
    assert [module.training for module in model.modules()] == modes
    assert not model._forward_hooks


# Every optimizer and scheduler


def classes(module: Any, kind: type) -> list[Any]:
    found = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, kind)]
    return sorted({c for c in found if c is not kind and not c.__name__.startswith("_")}, key=str)


WITHOUT_CLOSURE = [c for c in classes(torch.optim, Optimizer) if c is not torch.optim.LBFGS]


@pytest.mark.parametrize("kind", WITHOUT_CLOSURE, ids=lambda c: c.__name__)
def test_every_optimizer_learns_as_by_hand(kind: Any, tmp_path: Path) -> None:
    def make() -> nn.Module:
        if kind is torch.optim.SparseAdam:
            return nn.Sequential(nn.Embedding(5, 3, sparse=True), nn.Flatten(), nn.LogSoftmax(1))
        return nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False))

    sparse = kind is torch.optim.SparseAdam
    data = (TOKENS[:, :1], LABELS) if sparse else (X, Y)
    loss_fn = nn.NLLLoss() if sparse else MSE
    models = []
    for _ in range(2):
        torch.manual_seed(1)
        models.append(make())
    model, twin = models
    by_hand(model, [data], loss_fn, kind(model.parameters(), lr=0.01), 6)
    optimizer = kind(twin.parameters(), lr=0.01)
    fit(twin, data, loss_fn=loss_fn, optimizer=optimizer, epochs=3, folder=tmp_path)
    resumed = make()
    optimizer = kind(resumed.parameters(), lr=0.01)
    start = load(tmp_path / "last.pt", resumed, optimizer).epoch
    fit(resumed, data, loss_fn=loss_fn, optimizer=optimizer, epochs=6, start=start)
    assert same(model, resumed)


SCHEDULERS: dict[str, Callable[[Optimizer], Any]] = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, [lambda n: 0.9**n]),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda n: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 4]),
    "ConstantLR": lr_scheduler.ConstantLR,
    "LinearLR": lr_scheduler.LinearLR,
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [3]
    ),
    "PolynomialLR": lr_scheduler.PolynomialLR,
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 12),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.1, step_size_up=4),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, epochs=4, steps_per_epoch=3),
    "SWALR": lambda o: torch.optim.swa_utils.SWALR(o, 0.05),
}


def test_every_scheduler_is_tried() -> None:
    names = {c.__name__ for c in classes(lr_scheduler, lr_scheduler.LRScheduler)}
    assert names - {"LRScheduler", "ReduceLROnPlateau"} == set(SCHEDULERS) - {"SWALR"}


@pytest.mark.parametrize("per", ["epoch", "batch"])
@pytest.mark.parametrize("make", SCHEDULERS.values(), ids=SCHEDULERS)
def test_every_scheduler_is_stepped_as_by_hand(make: Any, per: Any) -> None:
    (model, optimizer), (twin, its_optimizer) = twins(lambda: nn.Linear(4, 1), lr=0.01)
    data, scheduler = batches(X, Y, batch_size=16), make(optimizer)
    for _ in range(4):
        for X_batch, y_batch in data:
            train_step(model, X_batch, y_batch, loss_fn=MSE, optimizer=optimizer)
            if per == "batch":
                scheduler.step()
        if per == "epoch":
            scheduler.step()
    fit(
        twin,
        data,
        loss_fn=MSE,
        optimizer=its_optimizer,
        epochs=4,
        scheduler=make(its_optimizer),
        scheduler_per=per,
    )
    assert same(model, twin)
    assert its_optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_a_plateau_patience_and_the_best_follow_what_is_watched(tmp_path: Path) -> None:
    scores = iter([0.5, 0.7, 0.6, 0.6, 0.6, 0.6])
    model = nn.Linear(4, 3)
    optimizer = SGD(model.parameters(), lr=0.1)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0, factor=0.5)
    history = fit(
        model,
        (X, LABELS),
        (X, LABELS),
        loss_fn=CE,
        optimizer=optimizer,
        epochs=6,
        metrics={"accuracy": lambda y_pred, y: next(scores)},
        watch="accuracy",
        scheduler=plateau,
        patience=3,
        folder=tmp_path,
    )
    assert [epoch.lr for epoch in history] == [0.1, 0.1, 0.1, 0.05, 0.025]
    assert read_checkpoint(tmp_path / "best.pt")["metadata"] == {"accuracy": 0.7, "epoch": 1}


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    scores = iter([math.nan, 2.0, math.nan, 1.0, math.nan, math.nan])
    model = nn.Linear(4, 1)
    history = fit(
        model,
        (X, Y),
        (X, Y),
        loss_fn=MSE,
        metrics={"odd": lambda y_pred, y: next(scores)},
        watch="odd",
        largest=False,
        patience=2,
        **sgd(model) | {"epochs": 10},
    )
    assert len(history) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"watch": "validation_loss"}, r"watch is 'validation_loss'; expected one of .*train_loss"),
        ({"watch": "speed", "metrics": {"speed": r2_score}}, r"doesn't say whether more is better"),
        ({"scheduler_per": "step"}, r"scheduler_per is 'step'; expected 'epoch' or 'batch'"),
        ({"plateau": "max"}, r"mode='max' and is told train_loss, of which the smallest is best"),
        (
            {"plateau": "min", "scheduler_per": "batch"},
            r"goes by a score of each epoch, train_loss",
        ),
        ({"save_every": 0}, r"save_every is 0; expected a whole number, 1 or more"),
        ({"loss_fn": nn.L1Loss}, r"loss_fn is the class L1Loss; expected .*the brackets that make"),
        ({"loss_fn": 3}, r"loss_fn is 3; expected what takes predictions and labels"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: dict[str, Any], message: str
) -> None:
    model = nn.Linear(4, 1)
    arguments = {"loss_fn": MSE} | sgd(model) | options
    if mode := arguments.pop("plateau", None):
        arguments["scheduler"] = lr_scheduler.ReduceLROnPlateau(arguments["optimizer"], mode=mode)
    validation = (X, Y) if "metrics" in options else None
    with pytest.raises((TypeError, ValueError), match=message):
        fit(model, (X, Y), validation, **arguments)


# Between backward and step


def test_gradients_are_clipped_before_the_step() -> None:
    (model, optimizer), (twin, its_optimizer) = twins(lambda: nn.Linear(4, 1))
    for _ in range(3):
        optimizer.zero_grad()
        MSE(model(X), 100 * Y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    def clip(model: nn.Module) -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)

    fit(twin, (X, 100 * Y), loss_fn=MSE, optimizer=its_optimizer, epochs=3, before_step=clip)
    assert same(model, twin)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_gradients_that_add_up_are_those_of_a_larger_batch(kind: Any) -> None:
    models = []
    for _ in range(2):
        torch.manual_seed(1)
        models.append(MLP(4, 8, 1))
    large, small = models
    fit(
        large,
        batches(X, Y, batch_size=24),
        loss_fn=MSE,
        optimizer=kind(large.parameters(), lr=0.01),
        epochs=3,
    )
    sums: dict[Any, Any] = {}
    steps = iter(range(1000))

    def of_three(model: nn.Module) -> None:
        last = next(steps) % 3 == 2
        for parameter in model.parameters():
            assert parameter.grad is not None
            sums[parameter] = sums.get(parameter, 0) + parameter.grad / 3
            parameter.grad = sums.pop(parameter) if last else None

    optimizer = kind(small.parameters(), lr=0.01)
    fit(
        small,
        batches(X, Y, batch_size=8),
        loss_fn=MSE,
        optimizer=optimizer,
        epochs=3,
        before_step=of_three,
    )
    assert all(map(torch.allclose, large.parameters(), small.parameters()))


# Losses of batches


@pytest.mark.parametrize(
    "loss_fn",
    [
        nn.CrossEntropyLoss(weight=torch.tensor([0.1, 10.0, 1.0])),
        nn.CrossEntropyLoss(weight=torch.tensor([0.1, 10.0, 1.0]), label_smoothing=0.1),
        nn.CrossEntropyLoss(ignore_index=1),
        nn.CrossEntropyLoss(weight=torch.tensor([0.1, 10.0, 1.0]), ignore_index=2),
        nn.CrossEntropyLoss(),
        nn.MSELoss(),
        nn.KLDivLoss(reduction="batchmean"),
    ],
    ids=str,
)
def test_training_and_evaluation_weigh_labels_alike(loss_fn: Any) -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1))
    classes = isinstance(loss_fn, nn.CrossEntropyLoss)
    data = batches(X, LABELS if classes else nn.functional.one_hot(LABELS, 3).float(), batch_size=7)
    frozen = SGD(model.parameters(), lr=0.0)
    loss = evaluate(model, data, loss_fn=loss_fn)["loss"]
    assert train_epoch(model, data, loss_fn=loss_fn, optimizer=frozen) == pytest.approx(loss)


def test_a_batch_of_ignored_labels_counts_for_nothing() -> None:
    model = nn.Linear(4, 3)
    labels = LABELS.clone()
    labels[:8] = -100
    data = batches(X, labels, batch_size=8)
    history = fit(model, data, data, loss_fn=CE, **sgd(model))
    assert math.isfinite(history[0].train_loss)
    ignored = (X, torch.full((48,), -100))
    with pytest.raises(ValueError, match=r"data: every label is the loss function's ignore_index"):
        fit(model, ignored, loss_fn=CE, **sgd(model))
    with pytest.raises(ValueError, match=r"validation: every label is the loss function's ignore"):
        fit(model, data, ignored, loss_fn=CE, **sgd(model))


# Divergence


@pytest.mark.parametrize("options", [{"patience": 99}, {"folder": "runs"}], ids=str)
def test_after_a_divergence_a_smaller_lr_learns(options: dict[str, Any], tmp_path: Path) -> None:
    (model, optimizer), (twin, its_optimizer) = twins(lambda: nn.Linear(4, 1), lr=50)
    if "folder" in options:
        options = {"folder": tmp_path, "save_every": 1}
    with pytest.raises(DivergedError, match=r"with lr 50;.*such as 5, and a tenth of it again"):
        fit(model, (X, Y), loss_fn=MSE, optimizer=optimizer, epochs=100, **options)
    for one in (optimizer, its_optimizer):
        one.param_groups[0]["lr"] = 0.01
    histories = [
        fit(a, (X, Y), loss_fn=MSE, optimizer=o, epochs=20)
        for a, o in ((model, optimizer), (twin, its_optimizer))
    ]
    assert histories[0] == histories[1]
    if (tmp_path / "last.pt").exists():
        states = [read_checkpoint(tmp_path / name)["model"] for name in ("last.pt", "best.pt")]
        assert all(tensor.isfinite().all() for state in states for tensor in state.values())


def test_a_divergence_puts_the_schedule_back_too() -> None:
    model = nn.Linear(4, 1)
    optimizer = SGD(model.parameters(), lr=50, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.99)
    before = copy.deepcopy([optimizer.state_dict(), scheduler.state_dict()])
    how: dict[str, Any] = {"loss_fn": MSE, "optimizer": optimizer, "scheduler": scheduler}
    with pytest.raises(DivergedError) as caught:
        fit(model, (X, Y), epochs=100, patience=100, **how)
    assert len(caught.value.history) > 3
    assert [optimizer.state_dict(), scheduler.state_dict()] == before


def test_weights_that_are_no_longer_finite_are_never_saved(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    optimizer = SGD(model.parameters(), lr=3e38)
    with pytest.raises(DivergedError, match=r"a weight became NaN or infinite in epoch 0"):
        fit(
            model,
            (X, 100 * Y),
            loss_fn=MSE,
            optimizer=optimizer,
            epochs=3,
            folder=tmp_path,
            save_every=1,
        )
    assert not (tmp_path / "last.pt").exists()


def test_without_a_copy_what_blew_up_is_refused_the_next_time() -> None:
    model = nn.Linear(4, 1)
    optimizer = SGD(model.parameters(), lr=50, momentum=0.9)
    with pytest.raises(DivergedError, match=r"Build the model and the optimizer again"):
        fit(model, (X, Y), loss_fn=MSE, optimizer=optimizer, epochs=1000)
    with torch.no_grad():
        model.weight.fill_(1e25)
        model.bias.fill_(0.0)
    with pytest.raises(DivergedError, match=r"weights were as large as 1e\+25 before the first"):
        fit(model, (X, Y), loss_fn=MSE, **sgd(model))
    model.weight.data[0, 0] = math.nan
    with pytest.raises(ValueError, match=r"model holds a weight that is NaN or infinite"):
        fit(model, (X, Y), loss_fn=MSE, **sgd(model))


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (X * torch.tensor([1, 1, 5000, 1]), r"train: X, column 2, runs from -\d+ to \d+\. Scale"),
        ((1000 * X).reshape(48, 4, 1), r"train: X runs from -\d+ to \d+\. Scale the features"),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_unscaled_features_are_named_as_the_cause(
    features: Tensor, words: str, streams: bool
) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 1)

        def forward(self, numbers: Tensor, tokens: Tensor) -> Tensor:
            return self.layer(numbers.flatten(1))  # type: ignore[no-any-return]

    model = Model()
    optimizer = SGD(model.parameters(), lr=0.1)
    batch = {"tokens": TOKENS, "numbers": features}, Y
    data = streamed(batch) if streams else batch
    with pytest.raises(DivergedError, match=words):
        fit(model, data, loss_fn=MSE, optimizer=optimizer, epochs=100)


# A run that is stopped


def stop_after(epochs: int) -> Callable[[Epoch], None]:
    def stop(epoch: Epoch) -> None:
        if epoch.number + 1 == epochs:
            raise KeyboardInterrupt

    return stop


def test_ctrl_c_keeps_the_history_and_the_last_file(tmp_path: Path) -> None:
    (model, optimizer), (twin, its_optimizer) = twins(lambda: MLP(4, 8, 1))
    whole = fit(model, (X, Y), (X, Y), loss_fn=MSE, optimizer=optimizer, epochs=8)
    how: dict[str, Any] = {"loss_fn": MSE, "folder": tmp_path, "epochs": 8}
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(
            twin,
            (X, Y),
            (X, Y),
            optimizer=its_optimizer,
            save_every=2,
            on_epoch=stop_after(5),
            **how,
        )
    assert caught.value.history == whole[:5]  # type: ignore[attr-defined]
    resumed = MLP(4, 8, 1)
    optimizer = SGD(resumed.parameters(), lr=0.05, momentum=0.9)
    start = load(tmp_path / "last.pt", resumed, optimizer).epoch
    assert start == 4
    assert fit(resumed, (X, Y), (X, Y), optimizer=optimizer, start=start, **how) == whole
    assert same(resumed, model)


def test_a_run_that_stopped_early_is_over(tmp_path: Path) -> None:
    held_out = X[:16], -Y[:16]  # learning makes it worse
    (model, optimizer), (twin, its_optimizer) = twins(lambda: nn.Linear(4, 1))
    how: dict[str, Any] = {"loss_fn": MSE, "folder": tmp_path, "epochs": 50}
    history = fit(model, (X, Y), held_out, optimizer=optimizer, patience=3, **how)
    kept = read_checkpoint(tmp_path / "last.pt")
    assert kept["metadata"] == {"history": [e._asdict() for e in history], "stopped": "patience"}
    for _ in range(2):
        start = load(tmp_path / "last.pt", twin, its_optimizer).epoch
        again = fit(twin, (X, Y), held_out, optimizer=its_optimizer, start=start, patience=3, **how)
        assert again == history
        assert same(twin, model)
    more = fit(twin, (X, Y), held_out, optimizer=its_optimizer, start=start, patience=5, **how)
    assert len(more) == len(history) + 2


def test_going_back_leaves_the_best_of_later_epochs_behind(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    how: dict[str, Any] = {"loss_fn": MSE, "optimizer": SGD(model.parameters(), lr=0.05)}
    history = fit(model, (X, Y), epochs=5, folder=tmp_path, **how)
    again = fit(model, (X, -9 * Y), epochs=3, start=2, folder=tmp_path, **how)
    assert again[:2] == history[:2]
    assert again[2].train_loss > history[0].train_loss
    assert read_checkpoint(tmp_path / "best.pt")["metadata"]["epoch"] == 2
    save(tmp_path / "last.pt", model, epoch=3, metadata={"history": [1, {"number": 2}]})
    assert len(fit(model, (X, Y), epochs=4, start=3, folder=tmp_path, **how)) == 1


class Counts(nn.Linear):
    """Has a state of its own, and a buffer that grows with each call."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__(4, 1)
        self.register_buffer("seen", torch.zeros(0))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen = torch.zeros(len(self.seen) + 1)
            self.calls += 1
        return super().forward(x)

    def get_extra_state(self) -> int:
        return self.calls

    def set_extra_state(self, state: int) -> None:
        self.calls = state


def test_whatever_a_model_keeps_is_put_back_with_its_best_weights() -> None:
    model = Counts()
    fit(model, (X, Y), (X, -Y), loss_fn=MSE, **sgd(model) | {"epochs": 9}, patience=3)
    assert (model.calls, len(model.seen)) == (1, 1)
    lazy = nn.Sequential(nn.LazyLinear(1))
    history = fit(lazy, (X, Y), (X, -Y), loss_fn=MSE, **sgd(lazy) | {"epochs": 9}, patience=3)
    loss = evaluate(lazy, (X, -Y), loss_fn=MSE)["loss"]
    assert loss == history[0].validation_loss


@pytest.mark.parametrize("answer", [None, 2, "yes", [0], False])
def test_only_true_stops(answer: Any) -> None:
    model = nn.Linear(4, 1)
    how = sgd(model) | {"epochs": 3}
    assert len(fit(model, (X, Y), loss_fn=MSE, on_epoch=lambda e: answer, **how)) == 3
    assert len(fit(model, (X, Y), loss_fn=MSE, on_epoch=lambda e: True, **how)) == 1


def test_the_last_is_saved_as_often_as_it_costs_a_twentieth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    saved: list[int] = []

    def noted(path: Path, *states: Any, epoch: int, **others: Any) -> None:
        now[0] += 0.5
        saved.extend([epoch] if path.name == "last.pt" else [])

    monkeypatch.setattr("workflow.training.save", noted)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def a_second(epoch: Epoch) -> None:
        now[0] += 1

    model = nn.Linear(4, 1)
    how = sgd(model) | {"epochs": 30, "on_epoch": a_second, "loss_fn": MSE}
    fit(model, (X, Y), folder=tmp_path, **how)
    assert saved == [2, 21, 30]  # two files cost a second, so 19 lie between
    saved.clear()
    fit(model, (X, Y), folder=tmp_path, save_every=10, **how | {"epochs": 25})
    assert saved == [10, 20, 25]


def test_nothing_of_the_models_size_is_copied_where_nothing_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = nn.Linear(4, 1)
    copied: list[int] = []
    for name in ("clone", "isfinite", "abs"):
        original = getattr(Tensor, name)

        def noted(tensor: Tensor, original: Any = original) -> Any:
            copied.extend([1] if isinstance(tensor, nn.Parameter) else [])
            return original(tensor)

        monkeypatch.setattr(Tensor, name, noted)
    monkeypatch.setattr(nn.Module, "state_dict", lambda self: copied.append(2))
    fit(model, (X, Y), (X, Y), loss_fn=MSE, **sgd(model))
    assert copied == []


# Metrics, with scikit-learn as the judge

FLOATS = st.floats(-100, 100, width=32)


@given(st.lists(st.tuples(FLOATS, FLOATS, FLOATS, FLOATS), min_size=3, max_size=20))
def test_errors_and_r2_are_scikit_learns(rows: list[tuple[float, ...]]) -> None:
    table = torch.tensor(rows, dtype=torch.float64)
    y_pred, y = table[:, :2], table[:, 2:]
    judge = sklearn.metrics
    assert mean_absolute_error(y_pred, y) == pytest.approx(judge.mean_absolute_error(y, y_pred))
    assert mean_squared_error(y_pred, y) == pytest.approx(judge.mean_squared_error(y, y_pred))
    if (y.std(dim=0) > 1e-3).all():
        assert r2_score(y_pred, y) == pytest.approx(judge.r2_score(y, y_pred))


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(
            st.tuples(st.lists(FLOATS, min_size=n, max_size=n), st.integers(0, n - 1)), min_size=1
        )
    )
)
def test_accuracy_and_confusion_are_scikit_learns(rows: list[tuple[list[float], int]]) -> None:
    logits, y = torch.tensor([r for r, _ in rows]), torch.tensor([label for _, label in rows])
    classes = logits.argmax(dim=1)
    assert accuracy(logits, y) == pytest.approx(sklearn.metrics.accuracy_score(y, classes))
    expected = sklearn.metrics.confusion_matrix(y, classes, labels=range(logits.shape[1]))
    assert confusion_matrix(logits, y).tolist() == expected.tolist()


def test_r2_averages_outputs_and_names_a_constant_one() -> None:
    y = torch.tensor([[0.0, 1000.0], [1.0, 1001.0], [2.0, 1002.0]])
    assert r2_score(y.mean(dim=0).expand(3, 2), y) == 0
    with pytest.raises(ValueError, match=r"y, column 1 is 5 in all 3 places"):
        r2_score(y, torch.tensor([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]]))


def test_whole_numbers_that_are_close_and_large_have_their_error() -> None:
    times = torch.tensor([1700000001, 1700000005])
    assert mean_absolute_error(times, times - 1) == 1
    assert r2_score(y_pred=times + 2, y=times) == sklearn.metrics.r2_score(times, times + 2)


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("y_pred", "y", "message"),
    [
        (torch.tensor([[math.nan, 1.0]]), torch.tensor([0]), r"y_pred holds NaN in 1 of 2 places"),
        (torch.tensor([0.5, -0.5]), torch.tensor([1, -1]), r"y holds -1; .*\(y > 0\).long\(\)"),
        (torch.tensor([0.5, -0.5]), torch.tensor([1.0, 0.5]), r"y holds 0.5; expected class numb"),
        (torch.tensor([0.5]), torch.tensor([-100]), r"for each of at least one label that counts"),
    ],
)
def test_classes_that_cannot_be_counted_are_refused(
    metric: Any, y_pred: Tensor, y: Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metric(y_pred, y)


def test_ignored_labels_are_not_counted() -> None:
    y_pred, y = torch.eye(3), torch.tensor([0, 0, -100])
    assert accuracy(y_pred, y) == 0.5
    assert confusion_matrix(y_pred, y).sum() == 2
    assert accuracy(y_pred, torch.tensor([0, 255, 255]), ignore_index=255) == 1
    segmented = torch.randn(2, 3, 4, 5)
    assert accuracy(segmented, segmented.argmax(dim=1)) == 1


def test_metrics_wait_where_the_loss_is_not_finite() -> None:
    class Lost(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if self.training else super().forward(x) * math.nan

    model = Lost(4, 3)
    data = X, LABELS
    with pytest.raises(DivergedError, match=r"a loss became nan"):
        fit(model, data, data, loss_fn=CE, metrics={"accuracy": accuracy}, **sgd(model))


# predict, evaluate


@pytest.mark.parametrize(
    "data",
    [
        lambda: DataLoader(TensorDataset(X, Y), batch_size=7),
        lambda: DataLoader(TensorDataset(X), batch_size=7),
        lambda: batches(X, Y, batch_size=7, shuffle=True),
        lambda: iter([X[:20], X[20:]]),
    ],
)
def test_predict_walks_batches(data: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> None:
    model = MLP(4, 8, 1)
    assert torch.allclose(predict(model, data(), progress=True), predict(model, X), atol=1e-6)
    assert "batch" in capsys.readouterr().err


def test_predict_asks_for_a_batch_at_a_time() -> None:
    asked: list[int] = []
    model = nn.Linear(4, 1)
    model.register_forward_hook(lambda module, arguments, y_pred: asked.append(len(y_pred)))
    predict(model, X, batch_size=20)
    predict(model, batches(X, Y, batch_size=30))
    assert asked == [20, 20, 8, 30, 18]


def test_the_best_is_written_only_when_it_is_new(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    written: list[int] = []

    def look(epoch: Any) -> None:
        written.append((tmp_path / "best.pt").stat().st_ino)

    scores = iter([1.0, 2.0, 2.0, 3.0])
    fit(
        model,
        (X, Y),
        (X, Y),
        loss_fn=MSE,
        optimizer=SGD(model.parameters(), lr=0.01),
        epochs=4,
        metrics={"accuracy": lambda y_pred, y: next(scores)},
        watch="accuracy",
        largest=False,
        folder=tmp_path,
        save_every=1,
        on_epoch=look,
    )
    assert len(written) == 4
    assert len({*written, (tmp_path / "best.pt").stat().st_ino}) == 1


def test_predict_refuses_what_it_cannot_walk() -> None:
    with pytest.raises(ValueError, match=r"X holds no batch; expected at least one"):
        predict(nn.Linear(4, 1), iter([]))
    with pytest.raises(ValueError, match=r"batch_size is 0; expected a whole number, 1 or more"):
        predict(nn.Linear(4, 1), X, batch_size=0)
    with pytest.raises(ValueError, match=r"X holds NaN"):
        predict(nn.Linear(4, 1), DataLoader(TensorDataset(X / 0), batch_size=7))


def test_a_loss_of_more_than_one_number_is_named() -> None:
    model = nn.Linear(4, 1)
    with pytest.raises(ValueError, match=r"loss_fn has reduction='none'; expected 'mean'"):
        evaluate(model, (X, Y), loss_fn=nn.MSELoss(reduction="none"))
    each = partial(nn.functional.mse_loss, reduction="none")
    with pytest.raises(TypeError, match=r"loss_fn returned torch.float32 \(48, 1\).*mean\(\)"):
        evaluate(model, (X, Y), loss_fn=each)
    with pytest.raises(TypeError, match=r"loss_fn returned torch.float32 \(48, 1\).*mean\(\)"):
        fit(model, (X, Y), (X, Y), loss_fn=each, **sgd(model))
    with pytest.raises(ValueError, match=r"train: X is .*; y is .*scalar outputs"):
        fit(model, (X, Y), loss_fn=each, **sgd(model))


def test_named_tuples_and_other_dictionaries_stay_what_they_are() -> None:
    class Output(dict[str, Tensor]):
        @property
        def logits(self) -> Tensor:
            return self["logits"]

    class Model(nn.Linear):
        def forward(self, x: Tensor) -> Any:
            return Output(logits=super().forward(x)), torch.max(x, dim=1), [x, x]

    def loss_fn(y_pred: Any, y: Tensor) -> Any:
        return MSE(y_pred[0].logits, y) + 0 * y_pred[1].values.sum()

    model = Model(4, 1)
    data = batches(X, Y, batch_size=20)
    fit(model, data, data, loss_fn=loss_fn, **sgd(model))
    assert predict(model, data)[0].logits.shape == (48, 1)

    class Count(nn.Linear):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x), len(x)

    with pytest.raises(ValueError, match="metrics need all predictions in one"):
        evaluate(
            Count(4, 1),
            data,
            loss_fn=lambda y_pred, y: MSE(y_pred[0], y),
            metrics={"mae": mean_absolute_error},
        )


# split


@given(
    st.lists(st.integers(0, 3), min_size=12, max_size=60),
    st.sampled_from([(0.8, 0.2), (0.5, 0.5), (0.6, 0.2, 0.2)]),
    st.integers(0, 5),
)
def test_each_part_has_its_share_of_each_class(
    labels: list[int], fractions: tuple[float, ...], seed: int
) -> None:
    y, rows = torch.tensor(labels), torch.arange(len(labels))
    parts = split(rows, y, fractions=fractions, seed=seed, stratify=y)
    plain = split(rows, y, fractions=fractions, seed=seed)
    assert sorted(torch.cat([part for part, _ in parts]).tolist()) == rows.tolist()
    assert [len(part) for part, _ in parts] == [len(part) for part, _ in plain]
    for (part, part_y), share in zip(parts, fractions, strict=True):
        assert torch.equal(y[part], part_y)
        for label in set(labels):
            off = int((part_y == label).sum()) - labels.count(label) * len(part) / len(labels)
            assert abs(off) < len(fractions), share


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=60), st.booleans())
def test_a_group_is_never_divided(names: list[str], shuffle: bool) -> None:
    rows = torch.arange(len(names))
    try:
        parts = split(rows, rows, groups=names, shuffle=shuffle, fractions=(0.6, 0.4))
    except ValueError as error:
        assert "or bring more groups" in str(error)  # noqa: PT017  # some draws have one group
        assert max(map(names.count, names)) > len(names) / 2
        return
    groups = [{names[i] for i in part.tolist()} for part, _ in parts]
    assert not groups[0] & groups[1]
    assert sorted(torch.cat([part for part, _ in parts]).tolist()) == rows.tolist()


def test_five_in_a_hundred_are_four_and_one() -> None:
    y = torch.tensor([1.0] * 5 + [0.0] * 95).unsqueeze(1)
    for seed in range(20):
        train, test = split(torch.randn(100, 2), y, stratify=y, seed=seed)
        assert (int(train[1].sum()), int(test[1].sum())) == (4, 1)
    assert len(split(y, y, stratify=pd.Series(y.flatten().tolist()))[0][0]) == 80
    assert split(y, y, stratify=y, shuffle=False)[1][1].flatten().tolist()[0] == 1


def test_split_says_what_is_wrong_with_names() -> None:
    with pytest.raises(ValueError, match=r"stratify has 3 entries for 48 examples; expected one"):
        split(X, Y, stratify=[1, 2, 3])
    with pytest.raises(ValueError, match=r"stratify and groups were both given; expected one"):
        split(X, Y, stratify=LABELS, groups=LABELS)


def test_drop_last_leaves_a_shorter_batch_out() -> None:
    data = batches(X, Y, batch_size=20, drop_last=True)
    assert [len(part) for part, _ in data] == [20, 20]
    assert len(data) == 2
    assert len(list(batches(X, Y, batch_size=24, drop_last=True))) == 2
    with pytest.raises(ValueError, match=r"batch_size is 50 and there are 48 .* no batch is left"):
        batches(X, Y, batch_size=50, drop_last=True)


# to_tensor


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([16777217], torch.float32),
        ([1700000001.0, 1700000002.0], None),
        ([1700000001.25], None),
        (np.array([16777217, 1]), torch.float32),
        (torch.tensor([16777217]), torch.float32),
        ([257], torch.bfloat16),
        ([2**53 + 1], torch.float64),
        (pd.DataFrame({"when": [1700000001.5], "flag": [True]}), None),
    ],
)
def test_a_number_that_would_become_another_is_refused(data: Any, dtype: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a number that fits.*dtype=torch.float64"):
        to_tensor(data, dtype=dtype)


@given(st.lists(st.floats(-(2**24), 2**24) | st.integers(-(2**24), 2**24), min_size=1))
def test_fractions_are_rounded_and_whole_numbers_kept(numbers: list[float]) -> None:
    tensor = to_tensor(numbers, dtype=torch.float32)
    assert torch.equal(tensor, torch.tensor(numbers, dtype=torch.float32))
    assert all(n != int(n) or t == n for n, t in zip(numbers, tensor.tolist(), strict=True))


def test_large_numbers_that_float64_cannot_tell_apart_are_rounded_too() -> None:
    assert to_tensor([6.02214076e23, -math.inf, math.nan])[:2].tolist() == [
        torch.tensor(6.02214076e23).item(),
        -math.inf,
    ]


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-100, 100), st.floats(-10, 10, width=32)), min_size=1
    )
)
def test_a_table_is_read_as_by_hand(rows: list[tuple[bool, int, float]]) -> None:
    table = pd.DataFrame(rows, columns=["flag", "count", "size"])
    assert torch.equal(to_tensor(table), torch.tensor(table.to_numpy(dtype="float32")))
    whole = table[["flag", "count"]]
    assert torch.equal(to_tensor(whole), torch.tensor(whole.to_numpy(dtype="int64")))
    assert torch.equal(to_tensor(table[["flag"]]), torch.tensor(table[["flag"]].to_numpy()))
    assert torch.equal(to_tensor(table, dtype=torch.float64), to_tensor(rows, dtype=torch.float64))


def test_a_table_of_two_columns_of_one_name_and_one_of_none() -> None:
    table = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    assert to_tensor(table).tolist() == [[1.0, 2.0]]
    assert to_tensor(table[[]]).shape == (1, 0)

"""Time the package against plain PyTorch, both in one run: `make bench`.

Each figure is the median over paired rounds of ours / baseline, so a machine that is busy or
slow changes both sides. These are measurements, not tests: nothing here fails.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from workflow import LinearRegressionModel, batches, fit, make_line, split

Timed = Callable[[], object]


def seconds(work: Timed) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(ours: Timed, baseline: Timed, rounds: int) -> tuple[float, float, float]:
    """Median, minimum and maximum of ours / baseline over paired rounds, after a warm-up."""
    ours(), baseline()
    ratios = []
    for number in range(rounds):
        # In turn first and second, so that neither profits from the other's warm caches.
        if number % 2:
            second, first = seconds(baseline), seconds(ours)
        else:
            first, second = seconds(ours), seconds(baseline)
        ratios.append(first / second)
    return statistics.median(ratios), min(ratios), max(ratios)


def line() -> tuple[nn.Module, torch.optim.Optimizer, nn.Module]:
    torch.manual_seed(42)
    model = LinearRegressionModel()
    return model, torch.optim.SGD(model.parameters(), lr=0.01), nn.L1Loss()


def by_hand(epochs: int, *, score_test: bool) -> None:
    (X, y), (X_test, y_test) = split(*make_line(), shuffle=False)
    model, optimizer, loss_fn = line()
    losses, test_losses = [], []
    for _ in range(epochs):
        model.train()
        y_pred = model(X)
        loss = loss_fn(y_pred, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if score_test:
            model.eval()
            with torch.inference_mode():
                test_losses.append(loss_fn(model(X_test), y_test).item())


def with_fit(epochs: int, *, score_test: bool) -> None:
    train, test = split(*make_line(), shuffle=False)
    model, optimizer, loss_fn = line()
    validation = test if score_test else None
    fit(model, train, validation, loss_fn=loss_fn, optimizer=optimizer, epochs=epochs)


def walk(data: object) -> None:
    for _ in data:  # type: ignore[attr-defined]  # anything that yields batches
        pass


def walk_often(data: object) -> None:
    for _ in range(1000):
        walk(data)


def show(name: str, target: str, result: tuple[float, float, float]) -> None:
    median, low, high = result
    print(f"{name:<62} {median:8.3f}   {low:.3f} to {high:.3f}   {target}")


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread; each row: median ratio, range, target\n")
    for score_test in (False, True):
        what = "with a test set" if score_test else "training only"
        result = ratio(
            lambda: with_fit(1000, score_test=score_test),  # noqa: B023  # called in this round
            lambda: by_hand(1000, score_test=score_test),  # noqa: B023
            rounds=31,
        )
        target = "for information" if score_test else "at most 1.05"
        show(f"fit / bare loop, 1000 epochs of the line, {what}", target, result)

    X, y = torch.randn(200_000, 8), torch.randn(200_000, 1)
    ours = batches(X, y, batch_size=256, shuffle=True)
    loader = DataLoader(TensorDataset(X, y), batch_size=256, shuffle=True)
    median, low, high = ratio(lambda: walk(loader), lambda: walk(ours), rounds=5)
    show("DataLoader / batches, 200,000 rows by 256", "at least 10", (median, low, high))
    full = batches(X, y)
    result = ratio(lambda: walk_often(full), lambda: slice_all(X, y), rounds=31)
    show("batches / X[:], y[:] by hand, full batch", "no slower", result)


def slice_all(X: torch.Tensor, y: torch.Tensor) -> None:
    for _ in range(1000):
        X[: len(X)], y[: len(y)]


if __name__ == "__main__":
    main()

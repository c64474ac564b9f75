"""Time the package against plain PyTorch, both in one run: `make bench`.

Each figure is the median over paired rounds of ours / baseline, in time of the processor, so a
machine that is busy or slow changes both sides; beside it stand the quartiles, between which half
of the rounds lie. These are measurements, not tests: nothing here fails.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # its types come apart, for one table
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from workflow import (
    LinearRegressionModel,
    Result,
    batches,
    fit,
    load,
    make_line,
    predict,
    read_results,
    save,
    split,
    to_tensor,
)

Timed = Callable[[], object]


def seconds(work: Timed) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ratio(ours: Timed, baseline: Timed, rounds: int) -> tuple[float, float, float]:
    """Median and quartiles of ours / baseline over paired rounds, after a warm-up."""
    ours(), baseline()
    ratios = []
    for number in range(rounds):
        # In turn first and second, so that neither profits from the other's warm caches.
        if number % 2:
            second, first = seconds(baseline), seconds(ours)
        else:
            first, second = seconds(ours), seconds(baseline)
        ratios.append(first / second)
    return spread(ratios)


def spread(ratios: list[float]) -> tuple[float, float, float]:
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return median, low, high


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
    print(f"torch {torch.__version__}, one thread; each row: median ratio, quartiles, target\n")
    for score_test in (False, True):
        what = "with a test set" if score_test else "training only"
        result = ratio(
            lambda: with_fit(1000, score_test=score_test),  # noqa: B023  # called in this round
            lambda: by_hand(1000, score_test=score_test),  # noqa: B023
            rounds=101,
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
    with tempfile.TemporaryDirectory() as folder:
        on_disk(Path(folder))
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(1_000_000, 4)))
    table["flag"] = table[0] > 0
    result = ratio(lambda: to_tensor(table), lambda: table_by_hand(table), rounds=11)
    show("to_tensor / by hand, a million rows by 4 and a bool column", "at most 1.2", result)
    show_memory("fit / bare loop", memory_of_fit, memory_by_hand)
    show_memory("predict in batches / the loop by hand", memory_of_predict, memory_of_predicting)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.pt")
        peak(partial(write_large, path))
        loads = partial(memory_of_load, path), partial(memory_of_torchs_load, path)
        show_memory("load / torch.load and load_state_dict", *loads)


def show_memory(name: str, ours: Callable[[], int], baseline: Callable[[], int]) -> None:
    ratios = [peak(ours) / peak(baseline) for _ in range(3)]
    show(f"memory, risen at most: {name}", "at most 1.1", spread(ratios))


def on_disk(folder: Path) -> None:
    """What is written and read: a run's folder, a large model, many results."""
    X, y = torch.randn(20_000, 64), torch.randn(20_000, 1)

    def epochs(**options: object) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 1))
        sgd = torch.optim.SGD(model.parameters(), lr=0.001)
        data = batches(X, y, batch_size=256)
        fit(model, data, loss_fn=nn.MSELoss(), optimizer=sgd, epochs=30, **options)  # type: ignore[arg-type]  # a folder

    result = ratio(lambda: epochs(folder=folder / "run"), epochs, rounds=7)
    show("fit with a folder / without, 30 epochs of 80 batches", "at most 1.05", result)

    model, path = nn.Linear(8192, 4096), folder / "large.pt"  # 134 MB
    state = {"model": model.state_dict()}
    result = ratio(lambda: save(path, model), lambda: torch.save(state, path), rounds=5)
    show("save / torch.save, 134 MB", "at most 1.2", result)
    save(path, model)
    result = ratio(lambda: load(path, model), lambda: torchs_load(path, model), rounds=5)
    show("load / torch.load and load_state_dict, 134 MB", "at most 1.2", result)

    file = folder / "results.jsonl"
    lines = [
        Result({"lr": i}, 0, {"validation_loss": 0.5}, {"train_loss": [0.5] * 10}, None)._asdict()
        for i in range(20_000)
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    by_hand = lambda: [json.loads(line) for line in file.read_text("utf-8").splitlines()]  # noqa: E731
    result = ratio(lambda: read_results(file), by_hand, rounds=5)
    show("read_results / json.loads of each line, 20,000 results", "for information", result)


def torchs_load(path: Path, model: nn.Module) -> None:
    model.load_state_dict(torch.load(path, weights_only=True)["model"])


def table_by_hand(table: pd.DataFrame) -> torch.Tensor:
    return torch.tensor(table.to_numpy(dtype="float32"))


def peak(measure: Callable[[], int]) -> int:
    """What is measured in a fresh process, whose memory nobody has used before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure)


def rise(work: Timed) -> int:
    """How far the memory of this process rises at most while it works, in KiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def large() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model = nn.Linear(8192, 8192)  # 268 MB
    return model, torch.zeros(1, 8192), torch.zeros(1, 8192)


def memory_of_fit() -> int:
    model, X, y = large()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)
    return rise(lambda: fit(model, (X, y), loss_fn=nn.MSELoss(), optimizer=sgd, epochs=2))


def memory_by_hand() -> int:
    model, X, y = large()
    sgd = torch.optim.SGD(model.parameters(), lr=0.01)

    def loop() -> None:
        for _ in range(2):
            loss = nn.functional.mse_loss(model(X), y)
            sgd.zero_grad()
            loss.backward()
            sgd.step()

    return rise(loop)


def write_large(path: Path) -> int:
    save(path, large()[0])
    return 0


def memory_of_load(path: Path) -> int:
    model = large()[0]
    return rise(lambda: load(path, model))


def memory_of_torchs_load(path: Path) -> int:
    model = large()[0]
    return rise(lambda: torchs_load(path, model))


def wide() -> tuple[nn.Module, torch.Tensor]:
    return nn.Sequential(nn.Linear(8, 4096), nn.ReLU(), nn.Linear(4096, 1)), torch.zeros(20_000, 8)


def memory_of_predict() -> int:
    model, X = wide()
    return rise(lambda: predict(model, X, batch_size=1000))


def memory_of_predicting() -> int:
    model, X = wide()

    def loop() -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat([model(part) for part in X.split(1000)])

    return rise(loop)


def slice_all(X: torch.Tensor, y: torch.Tensor) -> None:
    for _ in range(1000):
        X[: len(X)], y[: len(y)]


if __name__ == "__main__":
    main()

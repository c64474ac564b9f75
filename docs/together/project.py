"""Learn one column of a table from the others, and predict it for new rows.

    python project.py table.csv --label price
    python project.py predict new.csv

With no table it learns the line of the course. Replace what is marked yours.
"""

import argparse
import csv
import json
import math
import sys
from pathlib import Path

import torch
from torch import nn, optim

import workflow


def make_network(inputs, outputs):  # yours: begin with a linear model
    return nn.Linear(inputs, outputs)


class Scale(nn.Module):
    """To mean 0 and spread 1. Its buffers are saved and loaded with the weights."""

    def __init__(self, columns):
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))

    def measure(self, X):
        spread = X.std(dim=0, correction=0)
        self.mean.copy_(X.mean(dim=0))
        self.spread.copy_(spread.where(spread > 1e-6 * self.mean.abs(), 1))  # 1: a constant

    def forward(self, X):
        return (X - self.mean) / self.spread


class Model(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.features, self.labels = Scale(inputs), Scale(outputs)
        self.network = make_network(inputs, outputs)

    def forward(self, X):  # to scaled labels, or to logits
        return self.network(self.features(X))

    def answer(self, X):
        return workflow.predict(self, X) * self.labels.spread + self.labels.mean


def read(path):
    """The rows by their number in the file; row 1 holds the names of the columns."""
    if path is None:
        X, y = (tensor.flatten().tolist() for tensor in workflow.make_line(noise=0.05))
        return {n: {"x": a, "y": b} for n, (a, b) in enumerate(zip(X, y, strict=True), 2)}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            rows = {}
            for row in table:
                rows[table.line_num] = row
                if None in row:
                    raise ValueError(f"{path}, row {table.line_num} has more fields than row 1.")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8; expected a CSV file saved so.") from None
    if not rows:
        raise ValueError(f"{path} has no rows; expected names in row 1, then examples.")
    return rows


def is_number(value):
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def describe(rows, names, categories):
    """What each column holds: None for numbers, or else the list of its categories."""
    columns = {}
    for name in names:
        values = {row.get(name) for row in rows.values()} - {None, ""}
        numbers = name not in categories and any(map(is_number, values))
        columns[name] = None if numbers else sorted(values)
        if not numbers and len(values) > 50:
            raise ValueError(f"{name} has {len(values)} categories. Name --columns without it.")
    return columns


def encode(rows, columns, path):
    """A number stays; a category becomes one column for each that is known, 1 in its own."""
    return torch.tensor(
        [
            [x for name in columns for x in field(row, name, columns[name], f"{path}, row {n}")]
            for n, row in rows.items()
        ]
    )


def field(row, name, categories, place):
    if name not in row:
        raise ValueError(f"{place} has no {name!r}; expected it among {', '.join(row)}.")
    value = row[name]
    if value in (None, ""):
        raise ValueError(f"{place}, {name} is empty. Fill it in, or leave the row out.")
    if categories is None:
        if not is_number(value):
            raise ValueError(f"{place}, {name} is {value!r}; expected a number.")
        return [float(value)]
    if value not in categories:
        raise ValueError(f"{place}, {name} is {value!r}; expected one of {categories}.")
    return [float(value == category) for category in categories]


def with_error(scores):
    mean, error = scores.mean().item(), scores.std().item() / len(scores) ** 0.5
    return f"{float(f'{mean:.4g}'):,g} ± {float(f'{error:.2g}'):,g}"


def show(epoch):
    if epoch.number % 10 == 0:
        print("epoch {:3}: train {:.5f}, validation {:.5f}".format(*epoch[:3]))


def train(args):
    last, best, about = (args.folder / name for name in ("last.pt", "best.pt", "about.json"))
    if last.exists() and not args.resume:
        raise ValueError(f"{last} exists. Add --resume, or give another --folder.")
    rows = read(args.data)
    names = [name for name in args.columns or next(iter(rows.values())) if name != args.label]
    label = describe(rows, [args.label], args.categories)
    features = describe(rows, names, args.categories)
    columns = {"label": label, "features": features}
    if args.resume and about.exists() and json.loads(about.read_text("utf-8")) != columns:
        raise ValueError(f"{about} describes other columns; expected the table of that run.")
    y, X = encode(rows, label, args.data), encode(rows, features, args.data)
    classes = label[args.label]
    device = workflow.best_device()
    model_size = X.shape[1], y.shape[1]
    y = y.argmax(dim=1) if classes else y  # a class is its number
    parts = workflow.split(X.to(device), y.to(device), fractions=(0.6, 0.2, 0.2))

    workflow.seed_everything(args.seed)  # right before the model, which starts random
    model = Model(*model_size).to(device)
    (X_train, y_train), validation, test = parts
    model.features.measure(X_train)  # on the training part only
    if not classes:
        model.labels.measure(y_train)
    learn, choose, _ = [(X, y if classes else model.labels(y)) for X, y in parts]
    learn = workflow.batches(*learn, batch_size=10, shuffle=True, seed=args.seed)
    loss_fn = nn.CrossEntropyLoss() if classes else nn.MSELoss()
    optimizer, start = optim.Adam(model.parameters(), lr=args.lr), 0
    if args.resume:
        start = workflow.load(last, model, optimizer, generator=learn.generator).epoch
    args.folder.mkdir(parents=True, exist_ok=True)
    about.write_text(json.dumps(columns), "utf-8")
    how = {"loss_fn": loss_fn, "optimizer": optimizer, "on_epoch": show}
    how |= {"epochs": args.epochs, "start": start, "folder": args.folder}
    workflow.fit(model, learn, choose, **how)

    done = workflow.load(best, model).epoch
    part, (X, y) = ("test", test) if args.test else ("validation", validation)
    if classes:
        usual = y_train.mode().values
        score, scores = "accuracy", (model.answer(X).argmax(dim=1) == y).float()
        name, baseline = classes[usual], (y == usual).float()
    else:
        score, scores = "MAE", (model.answer(X) - y).abs()
        name, baseline = "the mean", (model.labels.mean - y).abs()
    print(f"best after {done} epochs: {part} {score} {with_error(scores)}")
    print(f"always {name}: {with_error(baseline)}")


def predict(args):
    about = args.folder / "about.json"
    if not about.exists():
        raise ValueError(f"{about} is not there; expected a --folder that keeps a run.")
    columns = json.loads(about.read_text("utf-8"))
    [(label, classes)] = columns["label"].items()
    X = encode(read(args.data), columns["features"], args.data)
    model = Model(X.shape[1], len(classes or [label]))
    workflow.load(args.folder / "best.pt", model)
    print(label)
    for answer in model.answer(X):
        print(classes[answer.argmax()] if classes else f"{answer.item():.6g}")


def main(words):
    command = predict if words[:1] == ["predict"] else train
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("project.py", argparse.SUPPRESS, __doc__)
    parser.formatter_class, add = formatter, parser.add_argument
    add("data", type=Path, nargs="?" if command is train else None, help="a CSV file")
    add("--folder", type=Path, default=Path("runs"), help="keeps the run")
    if command is train:
        names = {"type": lambda text: text.split(","), "metavar": "A,B", "default": []}
        add("--label", default="y", help="the column to predict")
        add("--columns", help="those to learn from, if not all others", **names)
        add("--categories", help="columns whose numbers are names", **names)
        add("--epochs", type=int, default=100, help="how many in all")
        add("--lr", type=float, default=0.01, help="a resumed run keeps it")
        add("--seed", type=int, default=42, help="of start and shuffles")
        add("--resume", action="store_true", help="go on with that run")
        add("--test", action="store_true", help="score the test data, once")
    try:
        command(parser.parse_args(words[command is predict :]))
    except (OSError, ValueError) as error:
        parser.error(str(error))  # one line, exit status 2


if __name__ == "__main__":
    main(sys.argv[1:])

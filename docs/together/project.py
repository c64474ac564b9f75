"""Learn a column of a table, and predict it for new rows. Change what is marked yours."""

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
    """Brings columns to mean 0 and spread 1. Its buffers are saved with the weights."""

    def __init__(self, columns):
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))

    def measure(self, X):
        self.mean.copy_(X.mean(dim=0))
        spread = X.std(dim=0, correction=0)
        constant = spread <= 1e-6 * self.mean.abs()  # nothing to divide by
        self.spread.copy_(spread.where(~constant, 1.0))

    def forward(self, X):
        return (X - self.mean) / self.spread


class Model(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.features, self.labels = Scale(inputs), Scale(outputs)
        self.network = make_network(inputs, outputs)

    def forward(self, X):  # features as they are to scaled numbers, or logits
        return self.network(self.features(X))

    def answer(self, X):
        return workflow.predict(self, X) * self.labels.spread + self.labels.mean


def read(path):
    """The rows by their number in the file, where row 1 holds the names of the columns."""
    if path is None:
        X, y = (tensor.flatten().tolist() for tensor in workflow.make_line(noise=0.05))
        return {n: {"x": x, "y": y} for n, (x, y) in enumerate(zip(X, y, strict=True), 2)}
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            table = csv.DictReader(file)
            rows = {table.line_num: row for row in table}
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8; expected a file saved as such.") from None
    if not rows:
        raise ValueError(f"{path} has no rows; expected names in row 1, examples below.")
    return rows


def is_number(text):
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False


def describe(rows, names, categories):
    """For each column its categories, or None if it holds numbers."""
    columns = {}
    for name in names:
        values = {row.get(name) for row in rows.values()} - {None, ""}
        numeric = name not in categories and any(map(is_number, values))
        columns[name] = None if numeric else sorted(values)
        if not numeric and len(values) > 50:
            raise ValueError(f"{name} has {len(values)} categories; choose --columns without it.")
    return columns


def encode(rows, columns, path):
    """A number stays as it is; a category becomes a column of 0 and 1 for each that is known."""
    encoded = []
    for number, row in rows.items():
        encoded.append([])
        for name, categories in columns.items():
            place, value = f"{path}, row {number}, {name}", row.get(name)
            if name not in row:
                raise ValueError(f"{path} has no column {name}; expected {', '.join(columns)}.")
            if value in (None, ""):
                raise ValueError(f"{place}: empty. Fill it in, or leave the row out.")
            if categories is None and not is_number(value):
                raise ValueError(f"{place}: {value!r} is no number. Leave the row out?")
            if categories is not None and value not in categories:
                raise ValueError(f"{place}: {value!r} is unknown; expected {categories}.")
            known = [value == one for one in categories] if categories else [value]
            encoded[-1] += [float(one) for one in known]
    return torch.tensor(encoded)


def with_error(scores):
    """Their mean, with its standard error."""
    return f"{scores.mean().item():.4g} ± {scores.std().item() / len(scores) ** 0.5:.2g}"


def show(epoch):
    if epoch.number % 10 == 0:
        print("epoch {:3}: train {:.5f}, validation {:.5f}".format(*epoch[:3]))


def train(args):
    last, best, about = (args.folder / name for name in ("last.pt", "best.pt", "about.json"))
    if not args.lr > 0:
        raise ValueError(f"--lr is {args.lr:g}; expected more than 0, such as 0.01.")
    if last.exists() and not args.resume:
        raise ValueError(f"{last} exists. Add --resume, or give another --folder.")
    rows = read(args.data)
    names = args.columns or [name for name in next(iter(rows.values())) if name != args.label]
    features, label = (describe(rows, n, args.categories) for n in (names, [args.label]))
    X, y = encode(rows, features, args.data), encode(rows, label, args.data)
    classes = label[args.label]
    device = workflow.best_device()
    model_size = X.shape[1], y.shape[1]
    if classes:
        y = y.argmax(dim=1)  # the number of the class
    parts = workflow.split(X.to(device), y.to(device), fractions=(0.6, 0.2, 0.2))
    workflow.seed_everything(args.seed)  # right before the model, which starts random
    model = Model(*model_size).to(device)
    model.features.measure(parts[0][0])  # the training part, and no other
    if not classes:
        model.labels.measure(parts[0][1])
    learn, choose, _ = [(X, y if classes else model.labels(y)) for X, y in parts]
    learn = workflow.batches(*learn, batch_size=10, shuffle=True, seed=args.seed)
    loss_fn = nn.CrossEntropyLoss() if classes else nn.MSELoss()
    optimizer, start = optim.Adam(model.parameters(), lr=args.lr), 0
    if args.resume:
        start = workflow.load(last, model, optimizer, generator=learn.generator).epoch
    args.folder.mkdir(parents=True, exist_ok=True)
    about.write_text(json.dumps({"features": features, "label": label}, indent=1), "utf-8")
    how = {"loss_fn": loss_fn, "optimizer": optimizer, "on_epoch": show}
    how |= {"epochs": args.epochs, "start": start, "folder": args.folder}
    workflow.fit(model, learn, choose, **how)

    done = workflow.load(best, model).epoch
    (_, y_train), (X, y) = parts[0], parts[2 if args.test else 1]
    answers = model.answer(X)
    if classes:
        guess = y_train.mode().values
        name, usual = "accuracy", f"always {classes[guess]}"
        scores, baseline = (answers.argmax(dim=1) == y).float(), (y == guess).float()
    else:
        name, usual = "MAE", "always the mean"
        scores, baseline = (answers - y).abs(), (y_train.mean() - y).abs()
    part = "test" if args.test else "validation"
    print(f"best after {done} epochs: {part} {name} {with_error(scores)}")
    print(f"{usual}: {with_error(baseline)}")


def predict(args):
    about = json.loads((args.folder / "about.json").read_text("utf-8"))
    X = encode(read(args.data), about["features"], args.data)
    [(label, classes)] = about["label"].items()
    model = Model(X.shape[1], len(classes) if classes else 1)
    workflow.load(args.folder / "best.pt", model)
    print(label)
    for answer in model.answer(X):
        print(classes[answer.argmax()] if classes else f"{answer.item():.6g}")


def main(words):
    """Do what the words behind `python project.py` say."""
    parser = argparse.ArgumentParser("project.py", "project.py [predict] [data.csv] [options]")
    parser.description = __doc__
    names = {"type": lambda text: text.split(","), "metavar": "A,B"}
    option = parser.add_argument
    option("data", type=Path, nargs="?", help="a CSV file; none: the line of the course")
    option("--folder", type=Path, default=Path("runs"), help="keeps the run")
    if (command := predict if words[:1] == ["predict"] else train) is train:
        option("--label", default="y", help="the column to learn")
        option("--columns", **names, default=[], help="to learn from; none: all others")
        option("--categories", **names, default=[], help="columns whose numbers are names")
        option("--epochs", type=int, default=100, help="how many in all")
        option("--lr", type=float, default=0.01, help="a resumed run keeps it")
        option("--seed", type=int, default=42, help="of the start and the shuffles")
        option("--resume", action="store_true", help="go on with that run")
        option("--test", action="store_true", help="score the test data, once")
    try:
        command(parser.parse_args(words[command is predict :]))
    except (OSError, ValueError) as error:
        parser.error(str(error))  # one line, exit status 2


if __name__ == "__main__":
    main(sys.argv[1:])

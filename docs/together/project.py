"""Train a model from the terminal. A template: replace what is marked yours."""

import argparse
from pathlib import Path

from torch import nn, optim

import workflow


def make_data():  # yours: features and labels, one row an example
    return workflow.make_line(noise=0.05)


def make_model():  # yours: from the features of a row to its prediction
    return nn.Linear(1, 1)


def show(epoch):
    if epoch.number % 10 == 0:
        print("epoch {:3}: train {:.5f}, validation {:.5f}".format(*epoch[:3]))


def main(args):
    last, best, start = args.folder / "last.pt", args.folder / "best.pt", 0
    if not args.lr > 0:
        raise ValueError(f"--lr is {args.lr:g}; expected more than 0, such as 0.1.")
    if last.exists() and not args.resume:
        raise ValueError(f"{last} exists. Add --resume, or give another --folder.")
    device = workflow.best_device()
    X, y = (tensor.to(device) for tensor in make_data())
    train, validation, test = workflow.split(X, y, fractions=(0.6, 0.2, 0.2))
    train = workflow.batches(*train, batch_size=10, shuffle=True, seed=args.seed)
    workflow.seed_everything(args.seed)  # right before the model, which starts random
    model = make_model().to(device)
    loss_fn = nn.MSELoss()  # yours: the loss that goes with the labels
    optimizer = optim.SGD(model.parameters(), lr=args.lr)
    if args.resume:
        start = workflow.load(last, model, optimizer, generator=train.generator).epoch
    how = {"loss_fn": loss_fn, "optimizer": optimizer, "on_epoch": show}
    how |= {"epochs": args.epochs, "start": start, "folder": args.folder}
    workflow.fit(model, train, validation, **how)
    done = workflow.load(best, model).epoch
    name, data = ("test", test) if args.test else ("validation", validation)
    score = workflow.evaluate(model, data, loss_fn=loss_fn)["loss"]
    print(f"best after {done} epochs: {name} {score:.5f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, default=100, help="how many in all")
    parser.add_argument("--lr", type=float, default=0.1, help="a resumed run keeps it")
    parser.add_argument("--seed", type=int, default=42, help="of start and shuffles")
    parser.add_argument("--folder", type=Path, default="runs", help="keeps the run")
    parser.add_argument("--resume", action="store_true", help="go on with that run")
    parser.add_argument("--test", action="store_true", help="score the test data, once")
    try:
        main(parser.parse_args())
    except (OSError, ValueError) as error:
        parser.error(str(error))  # one line, exit status 2

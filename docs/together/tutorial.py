# ---
# description: Go through the whole workflow by hand, with the package, and as a script to keep.
# ---

# %% [markdown]
# # Do it all
#
# About 16 minutes.
#
# [The page before](index.md) has the map. Here you go all the way along it: first in plain PyTorch,
# then with `workflow`, with an `assert` that both agree bit for bit. At the end a script for the
# terminal does the same, to keep for your own data.

# %%
import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    accuracy,
    best_device,
    choose,
    compare,
    evaluate,
    fit,
    load,
    make_line,
    mean_absolute_error,
    plot_predictions,
    predict,
    read_checkpoint,
    run,
    save,
    seed_everything,
    split,
)

# %% [markdown]
# ## By hand
#
# ### Choose a device
#
# A *device* is where tensors are kept and computed with: the CPU, or an *accelerator* such as a
# GPU, which computes many numbers at once. PyTorch finds the one you have, of whatever make.

# %%
if torch.accelerator.is_available():
    device = torch.accelerator.current_accelerator()
else:
    device = torch.device("cpu")
print(device)

# %% [markdown]
# You may see `cuda`, `mps` or `xpu` here. The rest of the page runs on any of them. On a GPU the
# last digits can differ from those printed here, as it adds up in another order.
#
# ### Data
#
# The line again, 50 points, this time in three parts, in order: 40 to learn from, 5 to choose by,
# 5 to judge by. `.to(device)` gives a tensor on that device, a copy if it was elsewhere.

# %%
X = torch.arange(0, 1, 0.02).unsqueeze(1)
y = 0.7 * X + 0.3
X, y = X.to(device), y.to(device)

X_train, y_train = X[:40], y[:40]
X_validation, y_validation = X[40:45], y[40:45]
X_test, y_test = X[45:], y[45:]
print(len(X_train), len(X_validation), len(X_test), "on", X_train.device)

# %% [markdown]
# Look at it before anything else. Matplotlib reads the computer's own memory only, so bring the
# tensors back with `.cpu()`. On a CPU that does nothing, and it costs nothing to write.

# %%
# alt: One straight line of points climbing from 0.3 to nearly 1. Forty blue circles reach from
#   x = 0 to 0.78, then come five purple triangles, then five green squares.
# caption: In order, each part lies beyond the one before.
fig, ax = plt.subplots()
ax.plot(X_train.cpu(), y_train.cpu(), "o", ms=4, c="#0072B2", label="training data")
ax.plot(X_validation.cpu(), y_validation.cpu(), "^", ms=5, c="#AA4499", label="validation data")
ax.plot(X_test.cpu(), y_test.cpu(), "s", ms=4, c="#009E73", label="test data")
ax.set(xlabel="x", ylabel="y")
ax.legend()

# %% [markdown]
# ### Model
#
# `nn.Linear(1, 1)` is our line as a ready-made layer: one feature in, one number out. Seed, build,
# move, in this order: the random numbers are drawn while the layer is built, on the CPU, so
# the start is the same on every device.

# %%
torch.manual_seed(42)
model = nn.Linear(1, 1).to(device)

start = f"weight {model.weight.item():.4f}, bias {model.bias.item():.4f}"
print(start)
assert start == "weight 0.7645, bias 0.8300"

# %% [markdown]
# The two-parameter class of the earlier stages started elsewhere from the same seed, because
# `nn.Linear` draws from another range.
#
# Data and model must be on one device. The device `"meta"` is one that every computer has; it holds
# shapes and no numbers, and stands in here for the GPU that a tensor was left behind on.

# %%
try:
    model(X_train.to("meta"))
except RuntimeError as error:
    print("RuntimeError:", str(error).partition(",")[0])

# %% [markdown]
# ### Training
#
# A few runs will be compared, so the loop is a function. It builds the model, makes the optimizer
# from the parameters *after* the move, and goes through the five steps. Then it asks about the
# validation data. Runs may learn by different losses, so all are measured by the same yardstick,
# the mean absolute error (MAE).


# %%
def train_by_hand(loss_fn, lr, cosine):
    torch.manual_seed(42)
    model = nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    if cosine:
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
    losses, misses = [], []
    for _ in range(1000):
        model.train()
        loss = loss_fn(model(X_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if cosine:
            schedule.step()

        model.eval()
        with torch.inference_mode():
            y_pred = model(X_validation)
        misses.append((y_pred - y_validation).abs().mean().item())
    return model, losses, misses


# %% [markdown]
# The first try is what much teaching material does: L1 loss, SGD, a fixed learning rate of 0.01.
# Here it gets 1000 epochs.

# %%
model, losses, misses = train_by_hand(nn.L1Loss(), 0.01, cosine=False)
end = f"weight {model.weight.item():.4f}, bias {model.bias.item():.4f}"
rises = sum(after > before for before, after in pairwise(losses))

print(end)
print("lowest training loss at epoch", losses.index(min(losses)))
print(f"it rose {rises} times; the last two are {losses[-2]:.5f} and {losses[-1]:.5f}")
print(f"validation MAE, the last two: {misses[-2]:.5f} and {misses[-1]:.5f}")
assert (end, rises) == ("weight 0.6968, bias 0.3025", 443)

# %% [markdown]
# Near the goal, but it has not arrived and never will. L1 pulls equally hard however small the
# error is, so a step of fixed length jumps over the goal, and the next one jumps back: a cycle of
# two. More epochs change nothing. The last miss looks splendid only because of where the loop
# happened to stop; one epoch earlier it was more than 70 times as large.

# %%
assert misses[-2] > 70 * misses[-1]
assert len(set(losses[118:])) == 2  # two losses take turns from there on

# %% [markdown]
# ### An experiment
#
# Two remedies. One is a single change: let the learning rate fall along a cosine, so that the
# steps get shorter. The other is two that belong together: MSE, whose pull fades near the goal,
# and a larger rate, 0.1, as at 0.01 it would be slow.

# %%
recipes = {
    "L1": {"loss_fn": nn.L1Loss(), "lr": 0.01, "cosine": False},
    "L1, cosine": {"loss_fn": nn.L1Loss(), "lr": 0.01, "cosine": True},
    "MSE": {"loss_fn": nn.MSELoss(), "lr": 0.1, "cosine": False},
}
by_hand = {name: train_by_hand(**recipe) for name, recipe in recipes.items()}

for name, (model, _, misses) in by_hand.items():
    numbers = f"weight {model.weight.item():.6f}, bias {model.bias.item():.6f}"
    print(f"{name:10}  {numbers}, validation MAE {misses[-1]:.1e}")

model, _, _ = by_hand["L1, cosine"]
assert abs(model.weight.item() - 0.69999) < 1e-5
assert abs(model.bias.item() - 0.3) < 1e-5
_, losses, _ = by_hand["MSE"]
assert losses[-1] < 1.1e-11  # MSE squares the misses, so its numbers are smaller anyway

# %%
# alt: The validation MAE of three runs over 1000 epochs, on a logarithmic axis. The dotted line,
#   L1, soon jumps between 0.013 and 0.0002 and goes on so to the end. The dashed line, L1 with
#   cosine, jumps as well but sinks in steps, and drops steeply in the last 100 epochs to nearly a
#   millionth. The solid line, MSE, sinks evenly and ends a little above it.
# caption: Every 21st epoch. Every 20th would have shown only one side of the jumps.
styles = {"L1": ":", "L1, cosine": "--", "MSE": "-"}
fig, ax = plt.subplots()
for name, (_, _, misses) in by_hand.items():
    ax.plot(range(0, 1000, 21), misses[::21], styles[name], c="#AA4499", lw=1.2, label=name)
ax.set(xlabel="epoch", ylabel="validation MAE", yscale="log")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)

# %% [markdown]
# The validation data chooses.

# %%
name = min(by_hand, key=lambda name: by_hand[name][2][-1])
model = by_hand[name][0]
print(name)

# %% [markdown]
# ### Evaluation
#
# Nothing will be changed any more, so open the test data, once. Beside the score stands a
# baseline: someone who always answers the mean of the training labels.

# %%
model.eval()
with torch.inference_mode():
    y_pred = model(X_test)

test_mae = (y_pred - y_test).abs().mean().item()
baseline = (y_train.mean() - y_test).abs().mean().item()
print(f"test MAE {test_mae:.1e}, baseline {baseline:.4f}")
assert test_mae < 1e-4 * baseline

# %% [markdown]
# ### Checkpoint
#
# Save the state dict, build a new model, load into it, compare. The new model starts with other
# numbers; afterwards the predictions agree to the last bit. `map_location="cpu"` lets a file from
# a GPU be read anywhere.

# %%
torch.save(model.state_dict(), "line.pt")

reloaded = nn.Linear(1, 1)
state = torch.load("line.pt", map_location="cpu", weights_only=True)
reloaded.load_state_dict(state)
reloaded.to(device).eval()

with torch.inference_mode():
    assert torch.equal(reloaded(X_test), y_pred)

# %% [markdown]
# ## The same with the package
#
# Device and data take two lines. [`best_device`][workflow.best_device] asks what you asked above.

# %%
assert best_device() == device

thirds = split(*make_line(0, 1, 0.02), fractions=(0.8, 0.1, 0.1), shuffle=False)
train, validation, test = [(X.to(device), y.to(device)) for X, y in thirds]

assert torch.equal(train[0], X_train)
assert torch.equal(validation[0], X_validation)
assert torch.equal(test[1], y_test)

# %% [markdown]
# The loop becomes a call of [`fit`][workflow.fit]. What you choose stays in sight: the model, the
# loss, the optimizer, the schedule. [`run`][workflow.run] seeds everything right before it calls
# the function, then does this for each recipe and seed; three seeds, because one can't tell luck
# from effect.


# %%
def train_packaged(loss_fn, lr, cosine):
    model = nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    how = {"loss_fn": loss_fn, "optimizer": optimizer, "epochs": 1000}
    if cosine:
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
        how["scheduler"] = schedule
    how["metrics"] = {"MAE": mean_absolute_error}
    return model, fit(model, train, validation, **how)


def experiment(recipe, seed):
    _, history = train_packaged(**recipes[recipe])
    return {"MAE": history[-1].metrics["MAE"]}


results = run(experiment, [{"recipe": name} for name in recipes], seeds=[42, 0, 1])
print(compare(results, by="MAE"))
chosen = choose(results, by="MAE").config["recipe"]
assert chosen == name

# %% [markdown]
# The same recipe wins. Now the comparison with your own loop, for each recipe with seed 42: each of
# the 1000 training losses, each validation MAE, and both parameters at the end.

# %%
for recipe, (model, losses, misses) in by_hand.items():
    seed_everything(42)
    packaged, history = train_packaged(**recipes[recipe])
    assert [epoch.train_loss for epoch in history] == losses
    assert [epoch.metrics["MAE"] for epoch in history] == misses
    assert torch.equal(packaged.weight, model.weight)
    assert torch.equal(packaged.bias, model.bias)
    if recipe == chosen:
        best = packaged

# %% [markdown]
# Not one bit of difference, and none in the score and the file either.
# [`predict`][workflow.predict], [`evaluate`][workflow.evaluate], [`save`][workflow.save] and
# [`load`][workflow.load] do what you did.

# %%
scores = evaluate(best, test, loss_fn=nn.L1Loss())
assert scores["loss"] == test_mae
assert torch.equal(predict(best, X_test), y_pred)

save("packaged.pt", best, epoch=1000, metadata={"recipe": chosen, "seed": 42})
copy = nn.Linear(1, 1)
checkpoint = load("packaged.pt", copy, device=device)
print(checkpoint.epoch, checkpoint.metadata)
assert torch.equal(predict(copy, X_test), y_pred)

# %% [markdown]
# Last, a look. [`plot_predictions`][workflow.plot_predictions] fetches its tensors from the device
# by itself.

# %%
# alt: Forty blue circles climb in a straight line. After a gap, where the validation data was left
#   out, come five green squares, each with a red cross exactly on it.
# caption: Predictions of the reloaded model for the five test points.
ax = plot_predictions(train, test, predict(copy, X_test))

# %% [markdown]
# ## A script to keep
#
# A notebook is for looking. To train for hours, use a script: it starts in the terminal, keeps its
# run on disk, and goes on after a stop. [The page before](index.md#a-script-to-keep) shows
# `project.py` and explains it. The folded cell writes the same text into a fresh folder.

# %% tags=["collapse"]
project = '''\
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
'''

home = Path(tempfile.mkdtemp())
(home / "project.py").write_text(project)
print(project.count("\n"), "lines")

# %% [markdown]
# In a terminal you would type `python project.py`. From here, `subprocess` does that and hands back
# what was printed. First the whole run, 100 epochs, on points with a little noise.


# %%
def terminal(*arguments):
    command = [sys.executable, "project.py", *arguments]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    print("$ python project.py", *arguments)
    print(done.stdout + done.stderr, end="")
    return done


whole = terminal()

# %% [markdown]
# Now the same run, stopped after 50 epochs, in a folder of its own.

# %%
first = terminal("--folder", "stopped", "--epochs", "50")

# %% [markdown]
# And resumed. Adding `--test` scores the test data instead of the validation data. Do that
# once, when nothing will be changed any more.

# %%
second = terminal("--folder", "stopped", "--resume", "--test")

# %% [markdown]
# It goes on as if it had never stopped: the same lines, and, in the file, the same weights.

# %%
lines = first.stdout.splitlines()[:-1] + second.stdout.splitlines()[:-1]
assert lines == whole.stdout.splitlines()[:-1]

states = [read_checkpoint(home / name / "last.pt")["model"] for name in ("runs", "stopped")]
assert torch.equal(states[0]["weight"], states[1]["weight"])
assert torch.equal(states[0]["bias"], states[1]["bias"])

# %% [markdown]
# The noise has a standard deviation of 0.05, so no model can expect a loss below 0.05² = 0.0025 on
# new points. These scores lie under it by luck, with ten points each. And the best epoch
# came early: this line needs no 100 epochs.
#
# When something is wrong, the script says what, in one line, and ends with a status other than 0,
# by which other programs know.

# %%
failed = terminal("--folder", "wild", "--lr", "5")
assert failed.returncode != 0
assert failed.stderr.count("\n") == 1

# %% tags=["collapse"]
# publish: quiz-together
# Numbers for the questions on the page before.
starts = []
for draws in (0, 1):
    torch.manual_seed(42)
    torch.rand(draws)  # a line that somebody adds above the model
    starts.append(nn.Linear(1, 1).weight.item())

stays = torch.zeros(3)
stays.to("meta")  # a device that every computer has: shapes, and no numbers

sure = torch.sigmoid(torch.tensor([1000.0]))
floor = nn.BCEWithLogitsLoss()(sure, torch.ones(1)).item()

torch.manual_seed(42)
guesser = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10))
blind = nn.CrossEntropyLoss()(guesser(torch.randn(1000, 20)), torch.randint(10, (1000,))).item()

numbers = {
    "seeded": f"{starts[0]:.4f}".replace("-", "−"),
    "shifted": f"{starts[1]:.4f}".replace("-", "−"),
    "device": str(stays.device),
    "floor": f"{floor:.2f}",
    "blind": f"{blind:.2f}",
}
print(json.dumps(numbers))

# %% [markdown]
# That was the whole workflow, four times over: by hand, packaged, as a script, and stopped in the
# middle. What is left is to do it on data of your own, which
# [the page before](index.md#for-your-own-data) prepares.
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# Put these four into the order in which a run must do them, so that it starts from the same numbers
# on every computer and trains on the right device.

# %% tags=["solution"]
# starter: order = ["build the model", "make the optimizer", "move the model", "seed"]
order = ["seed", "build the model", "move the model", "make the optimizer"]

# %% tags=["check"]
place = {step: number for number, step in enumerate(order)}
seed, build = place.get("seed", 9), place.get("build the model", 9)
move, optimize = place.get("move the model", 9), place.get("make the optimizer", 9)
if len(order) != 4 or 9 in (seed, build, move, optimize):
    print("Not yet: each of the four, once.")
elif seed > build:
    print("Not yet: the random numbers are drawn when the model is built.")
elif build > move or build > optimize:
    print("Not yet: there is no model yet.")
elif move > optimize:
    print("Not yet: the optimizer holds the parameters from before the move.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# Each step needs what another one makes.

# %% [markdown] tags=["solution"]
# Seed, then build, as building draws the numbers. The optimizer comes last, so that it holds the
# parameters that will be trained.

# %% [markdown] tags=["exercise"]
# Other data, another task. Each point has two features, and the label says whether it lies right
# of a slanted line, 1 or 0. Choose the model's size and the loss, so that it gets 95% of the
# validation data right. The [table](index.md#for-your-own-data) helps.

# %% tags=["solution"]
seeded = torch.Generator().manual_seed(0)
points = torch.randn(300, 2, generator=seeded)
right = (points[:, :1] + 0.5 * points[:, 1:] > 0.3).float()
learn, choose_by = split(points, right, fractions=(0.7, 0.3))

torch.manual_seed(42)
# starter: classifier = nn.Linear(1, 1)
# starter: its_loss = nn.L1Loss()
classifier = nn.Linear(2, 1)
its_loss = nn.BCEWithLogitsLoss()

# %% tags=["check"]
try:
    sgd = torch.optim.SGD(classifier.parameters(), lr=0.5)
    fit(classifier, learn, loss_fn=its_loss, optimizer=sgd, epochs=200)
except (RuntimeError, TypeError, ValueError) as error:
    print("Not yet:", str(error).splitlines()[0])
else:
    share = accuracy(predict(classifier, choose_by[0]), choose_by[1])
    if not isinstance(its_loss, nn.BCEWithLogitsLoss):
        print("Not yet: for yes or no there is a loss that takes logits.")
    elif share < 0.95:
        print(f"Not yet: {share:.2f} of the answers are right.")
    else:
        print("Right.")

# %% [markdown] tags=["hint"]
# As many inputs as features, one logit as output, and a loss for logits.

# %% [markdown] tags=["solution"]
# The boundary is a straight line, so a linear layer can draw it. Its one output is a logit: above 0
# means 1.

# %% [markdown] tags=["exercise"]
# The run in the folder `stopped` has done 100 epochs. Which arguments take it to 120?

# %% tags=["solution"]
# starter: arguments = ["--folder", "stopped", "--epochs", "20"]
arguments = ["--folder", "stopped", "--resume", "--epochs", "120"]

# %% tags=["check"]
done = terminal(*arguments)
epochs = read_checkpoint(home / "stopped/last.pt")["epoch"]
if epochs == 120:
    print("Right.")
elif "--resume" not in arguments:
    print("Not yet: that would be a new run, in a folder that has one.")
elif "20" in arguments:
    print("Not yet: --epochs counts those that are done as well.")
else:
    print("Not yet: the run has done", epochs, "epochs.")

# %% [markdown] tags=["hint"]
# Read what the script says, then its `--help`: `terminal("--help")`.

# %% [markdown] tags=["solution"]
# `--resume` takes up the run that is there, and `--epochs` says where it ends: 100 are done, so 20
# are left.

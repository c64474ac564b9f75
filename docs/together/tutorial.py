# ---
# description: Go through the whole workflow by hand, with the package, and as a script to keep.
# ---

# %% [markdown]
# # Do it all
#
# About 20 minutes.
#
# [The page before](index.md) has the map. Here you go all the way along it: first in plain
# PyTorch, then with `workflow`, with an `assert` that both agree bit for bit. At the end comes a
# script for the terminal, to keep for your own data.

# %%
import contextlib
import copy
import io
import json
import math
import runpy
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
# alt: One straight line of points climbs from the lower left. Forty blue circles come first,
#   then five purple triangles, then five green squares.
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
# Data and model must be on one device. The device `"meta"` is one that every computer has; it
# holds shapes and no numbers, and stands in here for the GPU that a tensor was left behind on.

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
by_hand = {"L1": (model, losses, misses)}
assert (end, rises) == ("weight 0.6968, bias 0.3025", 443)

# %% [markdown]
# Near the goal, but it has not arrived and never will: it jumps to and fro across it, the
# [2-cycle](../training/tutorial.py) of stage 3. More epochs change nothing. The last miss looks
# splendid only because of where the loop happened to stop; one epoch earlier it was more than 70
# times as large.

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
for name in ("L1, cosine", "MSE"):
    by_hand[name] = train_by_hand(**recipes[name])

for name, (model, _, misses) in by_hand.items():
    numbers = f"weight {model.weight.item():.6f}, bias {model.bias.item():.6f}"
    print(f"{name:10}  {numbers}, validation MAE {misses[-1]:.1e}")

model, _, _ = by_hand["L1, cosine"]
assert abs(model.weight.item() - 0.69999) < 1e-5
assert abs(model.bias.item() - 0.3) < 1e-5
_, losses, _ = by_hand["MSE"]
assert losses[-1] < 1.1e-11  # MSE squares the misses, so its numbers are smaller anyway

# %%
# alt: The validation MAE of three runs over their epochs, on a logarithmic axis. The dotted line,
#   L1, soon jumps up and down and goes on so to the end. The dashed line, L1 with cosine, jumps as
#   well but sinks in steps, and drops steeply near the end, to nearly a millionth. The solid line,
#   MSE, sinks evenly and ends a little above it.
# caption: Every 21st epoch. Every 20th would have shown only one side of the jumps.
styles = {"L1": ":", "L1, cosine": "--", "MSE": "-"}
fig, ax = plt.subplots()
for name, (_, _, misses) in by_hand.items():
    ax.plot(range(0, 1000, 21), misses[::21], styles[name], c="#AA4499", lw=1.2, label=name)
ax.set(xlabel="epoch", ylabel="validation MAE", yscale="log")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)

# %% [markdown]
# With cosine the line ends nearest, by a hundred-thousandth. That is one race from one start.
# Would it end so from another? These lines are so small that a thousand of them can learn at once,
# as the rows of one tensor: each row a weight and a bias, drawn as `nn.Linear(1, 1)` draws them,
# between −1 and 1.


# %%
def from_many_starts(loss_fn, lr, cosine, starts=1000):
    random = torch.Generator().manual_seed(0)
    weight, bias = (2 * torch.rand(2, starts, 1, generator=random) - 1).to(device)
    for epoch in range(1000):
        errors = weight * X_train.T + bias - y_train.T  # (starts, 40)
        slopes = errors.sign() if isinstance(loss_fn, nn.L1Loss) else 2 * errors
        rate = lr * (1 + math.cos(math.pi * epoch / 1000)) / 2 if cosine else lr
        weight = weight - rate * (slopes * X_train.T).mean(dim=1, keepdim=True)
        bias = bias - rate * slopes.mean(dim=1, keepdim=True)
    return (weight * X_validation.T + bias - y_validation.T).abs().mean(dim=1)  # MAE of each


many = {name: from_many_starts(**recipe) for name, recipe in recipes.items()}
for name, maes in many.items():
    print(f"{name:10}  half below {maes.median():.6f}, mean {maes.mean():.6f}, ", end="")
    print(f"{(maes > 0.02).float().mean():.0%} above 0.02, largest {maes.max():.5f}")
nearest = (many["L1, cosine"] < many["MSE"]).float().mean().item()
print(f"cosine nearer than MSE: {nearest:.0%}")

# %% [markdown]
# From most starts cosine ends nearest, as above. But from every third it never arrives: the rate
# has fallen to nothing while the line was still on its way. MSE comes near from all of them. The
# difference, start by start, with its standard error:

# %%
gap = many["L1, cosine"] - many["MSE"]
standard_error = (gap.std() / math.sqrt(len(gap))).item()
print(f"cosine misses by {gap.mean().item():+.4f} ± {standard_error:.4f} more than MSE")
assert gap.mean() > 10 * standard_error

stuck = (many["L1, cosine"] > 0.02).float().mean().item()
assert 0.28 < stuck < 0.38
assert 0.5 < nearest < 0.7
assert many["MSE"].max() < 1e-4

# %% [markdown]
# Decided, and the race from one start had the other winner. So it is MSE. Only the start is luck
# here: the points carry no noise, so other points of the line would say the same.

# %%
name = "MSE"
model = by_hand[name][0]

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
# the function, for each recipe and each of five seeds.


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


results = run(experiment, [{"recipe": name} for name in recipes], seeds=range(5))
print(compare(results, by="MAE"))
choice = choose(results, by="MAE")
print(choice)
assert choice.config == {"recipe": name}
assert choice.undecided == [{"recipe": "L1, cosine"}]
chosen = choice.config["recipe"]

# %% [markdown]
# MSE has the best mean, L1 without a schedule is worse, and cosine is *undecided*: one of the five
# seeds makes nearly all of the difference, and five can't tell what that one is worth. It is no
# contradiction. With a thousand starts it was decided; who has five says so.
#
# Now the comparison with your own loop, for each recipe with seed 42: each of the 1000 training
# losses, each validation MAE, and both parameters at the end.

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
again = nn.Linear(1, 1)
checkpoint = load("packaged.pt", again, device=device)
print(checkpoint.epoch, checkpoint.metadata)
assert torch.equal(predict(again, X_test), y_pred)

# %% [markdown]
# Last, a look. [`plot_predictions`][workflow.plot_predictions] fetches its tensors from the device
# by itself.

# %%
# alt: Forty blue circles climb in a straight line. After a gap, where the validation data was left
#   out, come five green squares, each with a red cross exactly on it.
# caption: Predictions of the reloaded model for the five test points.
ax = plot_predictions(train, test, predict(again, X_test))

# %% [markdown]
# ## A script to keep
#
# A notebook is for looking. To train for hours, use a script: it starts in the terminal, keeps its
# run on disk, and goes on after a stop. [The page before](index.md#a-script-to-keep) shows
# [project.py](project.py) and explains it. Save it beside your notebook.
#
# In a terminal you would type `python project.py`, which imports torch and calls `main` with the
# words that come behind. Here torch is imported already, so the next cell calls `main` itself, in
# a fresh folder. First the whole run: with no table, the script learns the line, with some noise.

# %%
project = runpy.run_path("project.py")
script = Path("project.py").resolve()
home = Path(tempfile.mkdtemp())


def terminal(*words):
    printed = io.StringIO()
    with (
        contextlib.chdir(home),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        contextlib.suppress(SystemExit),  # how it ends after an error
    ):
        project["main"](list(words))
    print("$ python project.py", *words)
    print(printed.getvalue(), end="")
    return printed.getvalue()


whole = terminal()

# %% [markdown]
# Now the same run, stopped after 50 epochs, in a folder of its own.

# %%
first = terminal("--folder", "stopped", "--epochs", "50")

# %% [markdown]
# And resumed, this time in a process of its own, as after switching the computer off. Adding
# `--test` scores the test data instead of the validation data. Do that once, when nothing will be
# changed any more.

# %%
words = ["--folder", "stopped", "--resume", "--test"]
command = [sys.executable, script, *words]
done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True)
print("$ python project.py", *words)
print(done.stdout, end="")

# %% [markdown]
# It goes on as if it had never stopped: the same lines, and, in the file, the same weights.

# %%
lines = first.splitlines()[:-2] + done.stdout.splitlines()[:-2]
assert lines == whole.splitlines()[:-2]

states = [read_checkpoint(home / name / "last.pt")["model"] for name in ("runs", "stopped")]
assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])

# %% [markdown]
# The losses are of scaled labels, where a blind guess gets about 1. The score below them is in the
# units of the table, with its standard error, and beside it stands who always answers the mean.
#
# ### With a table
#
# Flats, in a file as a spreadsheet would save it. They are made up, so that the truth is known:
# 2,000 for each square metre, 50,000 more by the park, and chance with a spread of 10,000.

# %%
random = torch.Generator().manual_seed(0)
table = ["size,rooms,district,price"]
for _ in range(200):
    size = torch.randint(30, 120, (), generator=random).item()
    park = torch.rand((), generator=random).item() < 0.3
    chance = 10000 * torch.randn((), generator=random).item()
    price = round(2000 * size + 50000 * park + chance)
    table.append(f"{size},{size // 25 + 1},{'park' if park else 'centre'},{price}")
(home / "flats.csv").write_text("\n".join(table), encoding="utf-8")
print(*table[:4], sep="\n")
print(f"an average miss from chance alone: {10000 * math.sqrt(2 / math.pi):,.0f}")

# %%
flats = terminal("flats.csv", "--label", "price", "--folder", "flats")

# %% [markdown]
# About as much is left as chance alone leaves. Sizes, prices and words came in as they were: the
# script made a column of 0 and 1 of each district, and measured the scale on the training part.
# Both are kept with the run, so it can answer for new rows.

# %%
(home / "new.csv").write_text("size,rooms,district\n80,4,park\n80,4,centre\n", encoding="utf-8")
answers = terminal("predict", "new.csv", "--folder", "flats")
by_the_park, in_the_centre = map(float, answers.splitlines()[1:])
assert abs(by_the_park - 210_000) < 5_000
assert abs(by_the_park - in_the_centre - 50_000) < 8_000

# %% [markdown]
# When something is wrong, the script says what and where, and ends with a status other than 0, by
# which other programs know. A district that it never saw can't be guessed, and a gap is yours to
# decide about.

# %%
(home / "new.csv").write_text("size,rooms,district\n80,4,harbour\n", encoding="utf-8")
unknown = terminal("predict", "new.csv", "--folder", "flats")

table[3] = ",2,park,150000"
(home / "gap.csv").write_text("\n".join(table), encoding="utf-8")
gap_found = terminal("gap.csv", "--label", "price", "--folder", "gap")
assert "new.csv, row 2, district is 'harbour'" in unknown
assert "gap.csv, row 4, size is empty" in gap_found

# %% tags=["collapse"]
# publish: quiz-together
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

_, history, _ = by_hand["L1"]
numbers = {
    "whole": whole.strip(),
    "flats": flats.splitlines()[-2],
    "answers": answers.strip(),
    "unknown": unknown.strip(),
    "empty": gap_found.strip(),
    "rises": rises,
    "turned": history.index(min(history)),
    "stuck": f"{100 * stuck:.0f} %",
    "gap": f"{gap.mean().item():.3f} ± {standard_error:.3f}",
    "class": f"{math.log(10):.2f}",
    "seeded": f"{starts[0]:.4f}".replace("-", "−"),
    "shifted": f"{starts[1]:.4f}".replace("-", "−"),
    "device": str(stays.device),
    "floor": f"{floor:.2f}",
    "blind": f"{blind:.2f}",
}
print(json.dumps(numbers))

# %% [markdown]
# That was the whole workflow: by hand, packaged, as a script, and on a table. What is left is to
# do it on data of your own, which [the page before](index.md#for-your-own-data) prepares.
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what
# is missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# Put these four into the order in which a run must do them, so that it starts from the same
# numbers on every computer and trains on the right device.

# %% tags=["solution"]
# starter: order = ["build the model", "make the optimizer", "move the model", "seed"]
order = ["seed", "build the model", "move the model", "make the optimizer"]

# %% tags=["check"]
steps = list(order) if isinstance(order, list | tuple) else []
place = {step: number for number, step in enumerate(steps)}
seed, build = place.get("seed", 9), place.get("build the model", 9)
move, optimize = place.get("move the model", 9), place.get("make the optimizer", 9)
if len(steps) != 4 or 9 in (seed, build, move, optimize):
    print("Not yet: each of the four, once.")
elif seed > build:
    print("Not yet: the random numbers are drawn when the model is built.")
elif build > move or build > optimize:
    print("Not yet: there is no model yet.")
elif move > optimize:
    print(
        "Not yet: move first. Some optimizers, such as Adagrad, make tensors of their own at once."
    )
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# Each step needs what another one makes.

# %% [markdown] tags=["solution"]
# Seed, then build, as building draws the numbers. Move before the optimizer is made: what it keeps
# for each parameter, some at once and some from the first step on, is then made on the right
# device.

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
fits = isinstance(classifier, nn.Module) and isinstance(its_loss, nn.Module)
sound = nn.BCEWithLogitsLoss, nn.CrossEntropyLoss
if not fits:
    print("Not yet: a model and a loss, please, both made of torch.nn.")
elif not isinstance(its_loss, sound):
    print("Not yet: for yes or no there is a loss that takes logits.")
else:
    classes = isinstance(its_loss, nn.CrossEntropyLoss)  # its labels are class numbers
    told, asked = [(X, y.flatten().long() if classes else y) for X, y in (learn, choose_by)]
    tried = copy.deepcopy(classifier)
    try:
        sgd = torch.optim.SGD(tried.parameters(), lr=0.5)
        fit(tried, told, loss_fn=its_loss, optimizer=sgd, epochs=200)
        logits = predict(tried, asked[0])
    except (RuntimeError, TypeError, ValueError) as error:
        print("Not yet:", str(error).splitlines()[0])
    else:
        share = accuracy(logits, asked[1])
        if bool(((logits >= 0) & (logits <= 1)).all()):
            print("Not yet: these are no logits, all lie between 0 and 1. What comes last in it?")
        elif share < 0.95:
            print(f"Not yet: {share:.2f} of the answers are right.")
        else:
            print("Right.")

# %% [markdown] tags=["hint"]
# As many inputs as features, one logit as output, and a loss for logits.

# %% [markdown] tags=["solution"]
# The boundary is a straight line, so a linear layer can draw it. Its one output is a logit: above
# 0 means 1.

# %% [markdown] tags=["exercise"]
# A run in the folder `stopped` has done 100 epochs. Which words behind `python project.py` take it
# to 120? (The check makes such a run anew each time.)

# %% tags=["solution"]
# starter: arguments = ["--folder", "stopped", "--epochs", "20"]
arguments = ["--folder", "stopped", "--resume", "--epochs", "120"]

# %% tags=["check"]
words = [str(word) for word in arguments] if isinstance(arguments, list | tuple) else []
home, kept = Path(tempfile.mkdtemp()), home
terminal("--folder", "stopped")
terminal(*words)
epochs = read_checkpoint(home / "stopped/last.pt")["epoch"]
elsewhere = len(list(home.iterdir())) > 1
home = kept
if not words:
    print("Not yet: a list of words, please, each in quotes.")
elif elsewhere:
    print("Not yet: that was another run, in another folder.")
elif epochs == 120:
    print("Right.")
elif "--resume" not in words:
    print("Not yet: that would be a new run, in a folder that has one.")
elif "20" in words:
    print("Not yet: --epochs counts those that are done as well.")
else:
    print("Not yet: the run has done", epochs, "epochs.")

# %% [markdown] tags=["hint"]
# Read what the script says, then its `--help`: `terminal("--help")`.

# %% [markdown] tags=["solution"]
# `--resume` takes up the run that is there, and `--epochs` says where it ends: 100 are done, so 20
# are left.

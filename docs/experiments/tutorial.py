# ---
# description: Sweep settings one at a time, keep the results, stop overfitting, and choose.
# ---

# %% [markdown]
# # Run experiments
#
# About 12 minutes.
#
# [The page before](index.md) explains how experiments are compared. Here you run some: by
# hand first, then with the `workflow` function that does the same, then with an `assert` that the
# two agree.

# %%
import copy
import json
import math
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    MLP,
    DivergedError,
    LinearRegressionModel,
    choose,
    compare,
    evaluate,
    fit,
    grid,
    make_line,
    plot_history,
    plot_loss_surface,
    plot_results,
    read_results,
    run,
    split,
)

X, y = make_line(0, 1, 0.02)
(X_train, y_train), _ = split(X, y, shuffle=False)

# %% [markdown]
# The underscore is the test data of [our line](../data/index.md). We have seen it in the last
# stages; now that we choose, it stays shut.
#
# ## One change: the learning rate
#
# All runs share one loop, the one from the training stage. It returns the loss of each epoch.


# %%
def learn(model, optimizer, loss_fn, epochs):
    losses = []
    for _ in range(epochs):
        loss = loss_fn(model(X_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# And all start from the same guess, because the seed is set right before each model is built.


# %%
def fresh_line(lr):
    torch.manual_seed(42)
    model = LinearRegressionModel()
    return model, torch.optim.SGD(model.parameters(), lr=lr)


# %% [markdown]
# The hypothesis: a larger learning rate learns faster, until it is too large. So only `lr`
# changes.


# %%
def sweep(loss_fn):
    final = []
    for lr in (0.001, 0.01, 0.1, 1, 10):
        model, optimizer = fresh_line(lr)
        start = learn(model, optimizer, loss_fn, epochs=100)[0]
        final.append(loss_fn(model(X_train), y_train).item())
        print(f"lr {lr:<5}  from {start:.5f} to {final[-1]:.3g}")
    return final


l1 = nn.L1Loss()
final = [round(loss, 3) for loss in sweep(l1)]
assert final == [0.198, 0.024, 0.04, 0.313, 0.313]

# %% [markdown]
# The hypothesis holds, with a surprise: 1 and 10 end where they began. L1 pulls with the same
# force however large the error is, so too large a step overshoots, and the next one comes all the
# way back. It bounces, and it never blows up.
#
# Now change one more thing, the loss, and sweep again.

# %%
mse = nn.MSELoss()
final = [float(f"{loss:.2g}") for loss in sweep(mse)]
assert final[:4] == [0.067, 0.0038, 0.00053, 1.1e23]
assert math.isnan(final[4])

# %% [markdown]
# With MSE the pull grows with the error. Once a step overshoots too far, the next is larger still,
# until the numbers no longer fit: `nan` means *not a number*. And don't compare one table with the
# other: 0.024 of L1 and 0.0038 of MSE are different measures.
#
# [`fit`][workflow.fit] does not go on with such numbers. It stops and says why.

# %%
model, optimizer = fresh_line(lr=10)
data = X_train, y_train
try:
    fit(model, data, loss_fn=mse, optimizer=optimizer, epochs=100)
except DivergedError as error:
    print(error)

# %% [markdown]
# Its advice is where to start: at 1 the loss grows as well, only more slowly.
#
# ### Where the edge is
#
# How large is too large? For MSE and a straight line it can be computed. The loss is a bowl, and
# a bowl has a *curvature*: how fast its slope changes. A step multiplies the distance to the
# bottom by 1 − lr × curvature. Where lr × curvature is above 2, that factor is below −1: you
# land on the other side, further up.
#
# The table of curvatures is called the *Hessian*. `A` has a column for the weight, which is `x`,
# and one for the bias, which is 1. The largest *eigenvalue* is the curvature where the bowl is
# steepest.

# %%
A = torch.cat([X_train, torch.ones_like(X_train)], dim=1)
hessian = 2 * A.T @ A / len(A)
largest = torch.linalg.eigvalsh(hessian).max().item()
limit = 2 / largest
print(f"curvature {largest:.4f}, so lr must stay below {limit:.4f}")
assert f"{largest:.4f} {limit:.4f}" == "2.3189 0.8625"

# %% [markdown]
# Try one learning rate on each side.

# %%
for lr in (0.86, 0.87):
    model, optimizer = fresh_line(lr)
    losses = learn(model, optimizer, mse, epochs=1000)
    print(f"lr {lr}: from {losses[0]:.2f} to {losses[-1]:.1e}")

# %% [markdown]
# ### Two ways down
#
# [`plot_loss_surface`][workflow.plot_loss_surface] draws the bowl from above, like a map: each
# contour joins parameters of equal loss. The bottom is at weight 0.7, bias 0.3. On the map goes the
# way the parameters took.


# %%
# alt: Grey contours run from the upper left to the lower right, on both sides of a long valley. A
#   red path with crosses climbs from weight 0.34, bias 0.13 into the valley in ever shorter steps.
#   A path with dots starts at the same point and zigzags across the valley in shrinking leaps.
# caption: Nine steps from the same start: crosses with lr 0.1, dots with lr 0.8.
def way_down(lr):
    model, optimizer = fresh_line(lr)
    points = [(model.weights.item(), model.bias.item())]
    for _ in range(9):
        learn(model, optimizer, mse, epochs=1)
        points.append((model.weights.item(), model.bias.item()))
    return points


slow, fast = way_down(0.1), way_down(0.8)
frame = {"weights": (0.3, 0.8), "bias": (0.1, 0.65)}
ax = plot_loss_surface(*data, loss_fn=mse, path=slow, **frame)
ax.lines[0].set_label("lr 0.1")
ax.plot(*zip(*fast, strict=True), "o-", c="black", ms=3, lw=0.8, label="lr 0.8")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)

# %% [markdown]
# At 0.1 it glides. At 0.8, just below the edge, every step crosses the valley and lands on the
# other side, a little lower.
#
# ## One change: more epochs
#
# The hypothesis sounds safe: the longer the training, the closer the answer. We take
# `nn.Linear(1, 1)`, the ready-made straight line, with L1, lr 0.01 and 1000 epochs.

# %%
torch.manual_seed(42)
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
losses = learn(model, optimizer, l1, epochs=1000)

best = losses.index(min(losses))
rises = sum(after > before for before, after in pairwise(losses))
print(f"weight {model.weight.item():.4f}, bias {model.bias.item():.4f}")
print(f"best at epoch {best}; rose in {rises} of {len(losses)} epochs")
print(f"the last two: {losses[-2]:.5f} and {losses[-1]:.5f}")
assert (best, rises) == (115, 443)
assert len(set(losses[118:])) == 2

# %%
# alt: A blue loss curve from epoch 110 to 125. It sinks in a straight line to its lowest point at
#   epoch 115, then swings between the same two heights, 0.001 and 0.010, at every epoch.
# caption: The same two losses take turns, and will for ever.
fig, ax = plt.subplots()
ax.plot(range(110, 126), losses[110:126], ".-", c="#0072B2")
ax.set(xlabel="epoch", ylabel="training loss")

# %% [markdown]
# The hypothesis is false. It is the 2-cycle of the training stage: the steps are too long to land
# on the answer, and L1 never makes them shorter. From about epoch 118 the parameters jump to and
# fro between the same two places, so the last 880 epochs brought nothing. `fit` agrees, epoch by
# epoch.

# %%
torch.manual_seed(42)
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
history = fit(model, data, loss_fn=l1, optimizer=optimizer, epochs=1000)
assert [epoch.train_loss for epoch in history] == losses

# %% [markdown]
# ## A schedule, a loss, an optimizer
#
# If the steps are too long at the end, make them shorter. A *schedule* changes the learning rate
# during training. The cosine schedule takes it from `lr` to nearly 0 along half a wave.

# %%
torch.manual_seed(42)
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
options = {"optimizer": optimizer, "scheduler": cosine, "epochs": 1000}
history = fit(model, data, loss_fn=l1, **options)

print(f"lr from {history[0].lr} to {history[-1].lr:.0e}")
print(f"weight {model.weight.item():.6f}, bias {model.bias.item():.6f}")
assert abs(model.weight.item() - 0.69999) < 1e-5
assert abs(model.bias.item() - 0.3) < 1e-5

# %% [markdown]
# One change, and the same 1000 epochs are worth it. MSE gets close without a schedule, as its pull
# fades near the bottom and the steps shorten by themselves. But short steps are slow: at the same
# rate of 0.01 it isn't there after 1000 epochs, and it needs a larger rate as well.
#
# Here are five recipes; each differs from another in one thing. *Momentum* keeps going in the
# direction of earlier steps. *Adam* gives each parameter a step length of its own. All are
# measured by the same yardstick, the mean absolute error, whatever loss they learn by.

# %%
sgd, adam = torch.optim.SGD, torch.optim.Adam
recipes = {
    "L1,  SGD 0.01": (l1, sgd, {"lr": 0.01}),
    "MSE, SGD 0.01": (mse, sgd, {"lr": 0.01}),
    "MSE, SGD 0.1": (mse, sgd, {"lr": 0.1}),
    "MSE, momentum": (mse, sgd, {"lr": 0.01, "momentum": 0.9}),
    "MSE, Adam": (mse, adam, {"lr": 0.01}),
}
print("epochs              100     1000")
for name, (loss_fn, kind, settings) in recipes.items():
    torch.manual_seed(42)
    model = nn.Linear(1, 1)
    optimizer = kind(model.parameters(), **settings)
    errors = []
    for epochs in (100, 900):
        learn(model, optimizer, loss_fn, epochs)
        errors.append(l1(model(X_train), y_train).item())
    print(f"{name:15} {errors[0]:.1e}  {errors[1]:.1e}")
    if name == "MSE, SGD 0.1":
        assert mse(model(X_train), y_train).item() < 1.1e-11

# %% [markdown]
# After 100 epochs L1 with plain SGD leads, and Adam is almost last. After 1000 Adam leads, and
# the L1 run comes fourth. A comparison holds for the budget it was made with, so no recipe is the
# ideal one. Loss, optimizer, epochs and schedule are *hyperparameters*, what you set before the
# model learns, and the learning rate is one of several.
#
# ## Overfitting
#
# So far there was nothing to get wrong but the answer. Real data is noisy, so let the labels be.
# And now that we choose, there are [three parts](../data/index.md#three-sets-three-jobs).

# %%
X_noisy, y_noisy = make_line(0, 1, 0.02, noise=0.1, seed=0)
train, validation, test = split(X_noisy, y_noisy, fractions=(0.4, 0.4, 0.2), seed=0)
print([len(part[0]) for part in (train, validation, test)])

# %% [markdown]
# With so few points, validation gets as many as training: a choice by a handful would be luck.
#
# [`MLP`][workflow.MLP], from the models stage, can bend: each of its 64 hidden units may add a
# kink to the line. That is far more freedom than 20 noisy points can fix.


# %%
def fresh_mlp(hidden=64, lr=0.01, seed=0):
    torch.manual_seed(seed)
    model = MLP(1, hidden, 1)
    return model, torch.optim.Adam(model.parameters(), lr=lr)


# %%
# alt: Two curves over 2000 epochs, with a logarithmic loss axis. Both drop steeply at first. The
#   blue training loss then keeps sinking slowly; the purple dashed validation loss turns early
#   and climbs, to ten times and more above it.
# caption: Overfitting: training loss goes on down, validation loss turns up.
model, optimizer = fresh_mlp()
options = {"loss_fn": mse, "epochs": 2000}
history = fit(model, train, validation, optimizer=optimizer, **options)
ax = plot_history(history[::40], log=True)  # every 40th epoch will do

lowest = min(history, key=lambda epoch: epoch.validation_loss)
for epoch in (lowest, history[-1]):
    print(f"epoch {epoch.number}: {epoch.train_loss:.4f}, {epoch.validation_loss:.4f}")
assert history[-1].train_loss < lowest.train_loss
assert history[-1].validation_loss > 3 * lowest.validation_loss

# %% [markdown]
# Each line shows the training loss and the validation loss. After the turn, the network learns the
# noise of its 20 points by heart. On the training loss alone you would call that progress.
#
# ### Stop early
#
# The first cure: stop when the validation loss hasn't improved for a while, which is called
# *patience*, and put the best copy back. It must be a copy, as `state_dict()` shows the live
# weights.

# %%
model, optimizer = fresh_mlp()
best_loss, best_epoch, best_copy = math.inf, 0, None
for number in range(2000):
    loss = mse(model(train[0]), train[1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.inference_mode():
        validation_loss = mse(model(validation[0]), validation[1]).item()
    if validation_loss < best_loss:
        best_loss, best_epoch = validation_loss, number
        best_copy = copy.deepcopy(model.state_dict())
    elif number - best_epoch >= 30:
        break
model.load_state_dict(best_copy)
print(f"stopped at {number}, back to {best_epoch}: {best_loss:.4f}")

# %% [markdown]
# In `fit` that is one argument.

# %%
early, optimizer = fresh_mlp()
stopped = fit(early, train, validation, optimizer=optimizer, patience=30, **options)
assert stopped[-1].number == number
for mine, packaged in zip(model.parameters(), early.parameters(), strict=True):
    assert torch.equal(mine, packaged)

# %% [markdown]
# ### More data, or a smaller model
#
# The other two cures change what is learned, or what learns. The validation data stays the same,
# so the numbers can be compared.

# %%
more = make_line(0, 1, 0.0025, noise=0.1, seed=1)
mlp, adam_mlp = fresh_mlp()
straight = nn.Linear(1, 1)
adam_straight = torch.optim.Adam(straight.parameters(), lr=0.01)

bigger = fit(mlp, more, validation, optimizer=adam_mlp, **options)[-1]
smaller = fit(straight, train, validation, optimizer=adam_straight, **options)[-1]
for name, last in [("more data", bigger), ("smaller model", smaller)]:
    print(f"{name:13}  {last.train_loss:.4f}, {last.validation_loss:.4f}")
    assert last.validation_loss < 2 * last.train_loss

# %% [markdown]
# After all 2000 epochs, each validation loss is less than twice the training loss. The network
# has 400 points to fit now; the smaller model is a straight line, which can't bend.
#
# ## Keep what came out
#
# Now a real choice: how many hidden units, and which learning rate? An experiment is a function
# from settings to scores.


# %%
def experiment(hidden, lr, seed):
    model, optimizer = fresh_mlp(hidden, lr, seed)
    fit(model, train, validation, optimizer=optimizer, patience=30, **options)
    return {"validation_loss": evaluate(model, validation, loss_fn=mse)["loss"]}


# %% [markdown]
# Write each result down as soon as there is one. JSON is a way to write dictionaries as text; a
# file with one a line is called *JSON lines*, and a new result is just one more line. Here it
# goes into a fresh folder.

# %%
folder = Path(tempfile.mkdtemp())
kept = folder / "by_hand.jsonl"

for hidden in (16, 64):
    for lr in (0.01, 0.1):
        for seed in (0, 1, 2):
            record = {"hidden": hidden, "lr": lr, "seed": seed}
            record |= experiment(hidden, lr, seed)
            with kept.open("a") as file:
                file.write(json.dumps(record) + "\n")

records = [json.loads(line) for line in kept.read_text().splitlines()]
print(len(records), "results; the first:", records[0])

# %% [markdown]
# [`grid`][workflow.grid] makes the combinations, [`run`][workflow.run] does the rest, and
# [`read_results`][workflow.read_results] reads the file.

# %%
configs = grid(hidden=[16, 64], lr=[0.01, 0.1])
path = folder / "results.jsonl"
results = run(experiment, configs, seeds=[0, 1, 2], path=path)
assert read_results(path) == results

for result, record in zip(results, records, strict=True):
    assert result.scores["validation_loss"] == record["validation_loss"]

# %% [markdown]
# ### Luck or effect
#
# Suppose you had run a single seed. Which settings would have won?

# %%
winners = []
for seed in (0, 1, 2):
    of_seed = [record for record in records if record["seed"] == seed]
    winner = min(of_seed, key=lambda record: record["validation_loss"])
    winners.append((winner["hidden"], winner["lr"]))
    print("seed", seed, "→ hidden", winner["hidden"], "and lr", winner["lr"])

assert len(set(winners)) > 1

# %% [markdown]
# The seed changed nothing but the random start, and the ranking flips. One run can't tell luck
# from effect. So run several seeds, and look at the mean and the *standard deviation*, which says
# how far the runs lie around their mean. With `<=`, a record must hold all of the settings.

# %%
means = {}
for config in configs:
    same = [record for record in records if config.items() <= record.items()]
    losses = [record["validation_loss"] for record in same]
    mean, deviation = statistics.fmean(losses), statistics.stdev(losses)
    means[config["hidden"], config["lr"]] = mean
    print(*config.values(), f"  {mean:.5f} ± {deviation:.5f}")

# %% [markdown]
# [`compare`][workflow.compare] prints that as a table, best first, and
# [`choose`][workflow.choose] returns the settings with the best mean.

# %%
print(compare(results))
chosen = choose(results).config
assert (chosen["hidden"], chosen["lr"]) == min(means, key=means.get)

# %%
# alt: Four rows of three purple triangles, one row for each setting, with a grey line at each mean.
#   The upper two rows, both with 64 hidden units, overlap almost entirely; the others reach
#   further to the right, to larger losses.
# caption: A triangle is a run with one seed; the grey line is the mean.
ax = plot_results(results)

# %% [markdown]
# The two best settings differ by less than their spread. That is a tie, and more seeds or more
# validation data would have to break it. Take the first and claim nothing.
#
# On [the page before](index.md#compare-the-runs) you can go through all twelve runs. Each is
# trained once more here, to keep up to 28 points of its curve.

# %% tags=["collapse"]
# publish: runs
# alt: Four rows of three purple triangles, one row for each setting, with a grey line at each mean.
#   The upper two rows, both with 64 hidden units, overlap almost entirely; the others reach
#   further to the right, to larger losses.
# caption: A triangle is a run with one seed; the grey line is the mean. With JavaScript, you can
#   choose runs, see their curves and rank the settings by one seed alone.
shown = []
for result in results:
    model, optimizer = fresh_mlp(**result.config, seed=result.seed)
    history = fit(model, train, validation, optimizer=optimizer, patience=30, **options)
    curve = [epoch.validation_loss for epoch in history]
    score = result.scores["validation_loss"]
    best, step = curve.index(score), math.ceil(len(curve) / 28)
    points = [round(loss, 5) for loss in curve[best % step :: step]]
    part = {"loss": round(score, 6), "first": best % step, "step": step, "curve": points}
    shown.append(result.config | {"seed": result.seed} | part)
print(json.dumps({"runs": shown}))
ax = plot_results(results)

# %% [markdown]
# ### After a crash
#
# Let the power fail in the sixth run.

# %%
calls = []


def fragile(hidden, lr, seed):
    calls.append(seed)
    if len(calls) == 6:
        raise RuntimeError("the power went")
    return experiment(hidden, lr, seed)


crashed = folder / "crashed.jsonl"
try:
    run(fragile, configs, seeds=[0, 1, 2], path=crashed)
except RuntimeError as error:
    print(f"{error}; {len(read_results(crashed))} results are on disk")

# %% [markdown]
# Five are safe; only the run in progress is lost. Make the same call again, and `run` skips what
# the file already has.

# %%
assert run(fragile, configs, seeds=[0, 1, 2], path=crashed) == results
print(len(calls), "calls for", len(results), "results")

# %% [markdown]
# It knows a run by its settings and its seed, not by your code. When you change the experiment
# itself, start a new file.
#
# ## Open the test once
#
# Validation chooses. An experiment might keep a test score as well. Ask `choose` to go by that, and
# it refuses, even before it looks for the score.

# %%
try:
    choose(results, by="test_loss")
except ValueError as error:
    print(error)

# %% [markdown]
# Everything is chosen now. Train with those settings, and open the test. Beside it stands the true
# line the data was made from: all that it misses is noise.

# %%
model, optimizer = fresh_mlp(**chosen)
fit(model, train, validation, optimizer=optimizer, patience=30, **options)

for name, data in [("validation", validation), ("test", test)]:
    score = evaluate(model, data, loss_fn=mse)["loss"]
    truth = mse(0.7 * data[0] + 0.3, data[1]).item()
    print(f"{name:10}  {score:.4f}  truth {truth:.4f}")

# %% tags=["collapse"]
# publish: quiz-experiments
# Numbers for the questions on the page before.
edge = []
for lr in (0.86, 0.87):
    line, sgd = fresh_line(lr)
    edge.append(learn(line, sgd, mse, epochs=1000)[-1])

same_line, sgd = fresh_line(lr=0.01)
learn(same_line, sgd, l1, epochs=100)
with torch.inference_mode():
    measured = [loss(same_line(X_train), y_train).item() for loss in (l1, mse)]

by_heart, optimizer = fresh_mlp()
overfitted = fit(by_heart, train, validation, optimizer=optimizer, **options)

by_seed = [r["validation_loss"] for r in records if (r["hidden"], r["lr"]) == (16, 0.01)]

numbers = {
    "below": f"{edge[0]:.2g}",
    "above": f"{edge[1]:.0e}".replace("e+", "e"),
    "l1": f"{measured[0]:.2g}",
    "mse": f"{measured[1]:.2g}",
    "seeds": ", ".join(f"{loss:.4f}" for loss in by_seed),
    "runs": len(grid(lr=range(4), hidden=range(4), batch=range(4))) * 3,
    "epoch": lowest.number,
    "lowest": f"{lowest.validation_loss:.4f}",
    "last": f"{overfitted[-1].validation_loss:.4f}",
}
print(json.dumps(numbers))

# %% [markdown]
# On validation data the network beats the truth itself. It can, as it was stopped and
# chosen for just these 20 points. On the test it loses to the truth, and that is the honest
# comparison. Report the test score, and change nothing after it.
#
# You can now change a model and say whether it helped. The
# [next stage](../checkpoints/index.md) keeps the one that you chose.
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# Four runs with 4, 16, 64 and 256 hidden units, and their losses. This line chooses one. Mend it.

# %% tags=["solution"]
units = [4, 16, 64, 256]
found = {
    "train": [0.31, 0.12, 0.05, 0.01],
    "validation": [0.34, 0.21, 0.24, 0.38],
    "test": [0.35, 0.26, 0.22, 0.40],
}
# starter: my_choice = units[found["test"].index(min(found["test"]))]
my_choice = units[found["validation"].index(min(found["validation"]))]

# %% tags=["check"]
by = {part: units[losses.index(min(losses))] for part, losses in found.items()}
if my_choice == by["validation"]:
    print("Right.")
elif my_choice == by["test"]:
    print("Not yet: chosen by the test data, which can't judge any more.")
elif my_choice == by["train"]:
    print("Not yet: on the training data, the largest learns most by heart.")
else:
    print("Not yet: no loss is lowest there.")

# %% [markdown] tags=["hint"]
# Three parts, three jobs: one to learn, one to choose, one to judge.

# %% [markdown] tags=["solution"]
# Validation chooses 16, whose test loss of 0.26 may then be reported. 0.22 looks better, and would
# be picked for its luck.

# %% [markdown] tags=["exercise"]
# Two settings, five seeds each. Compute the mean and the standard deviation of both, as a pair.

# %% tags=["solution"]
seeds_of = {
    "lr 0.1": [0.21, 0.35, 0.22, 0.33, 0.24],
    "lr 0.01": [0.26, 0.27, 0.25, 0.28, 0.26],
}
# starter: my_table = {"lr 0.1": (0.0, 0.0), "lr 0.01": (0.0, 0.0)}
my_table = {
    name: (statistics.fmean(runs), statistics.stdev(runs)) for name, runs in seeds_of.items()
}

# %% tags=["check"]
means, spreads = torch.tensor([my_table[name] for name in seeds_of]).T
numbers = torch.tensor(list(seeds_of.values()))
if torch.allclose(means, numbers.min(dim=1).values):
    print("Not yet: those are the luckiest seeds.")
elif not torch.allclose(means, numbers.mean(dim=1)):
    print("Not yet: the means are wrong.")
elif torch.allclose(spreads, numbers.std(dim=1, correction=0)):
    print("Not yet: divide by 4, as five runs have four free differences.")
elif not torch.allclose(spreads, numbers.std(dim=1)):
    print("Not yet: the means are right, the deviations aren't.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# `statistics.fmean` and `statistics.stdev` take a list.

# %% [markdown] tags=["solution"]
# The means differ by 0.006 and one spread is 0.066: a tie. But one of the two you can rely on,
# whatever the seed.

# %% [markdown] tags=["exercise"]
# These are the validation losses of a run. With a patience of 10 epochs, at which epoch does it
# stop? Find it with a loop.

# %% tags=["solution"]
losses = [math.cos(n / 6) + n / 50 for n in range(100)]
# starter: stops_at = 0
best = 0
for number, loss in enumerate(losses):
    if loss < losses[best]:
        best = number
    stops_at = number
    if number - best >= 10:
        break

# %% tags=["check"]
best = next(n for n in range(90) if min(losses[n + 1 : n + 11]) >= losses[n])
if stops_at == best + 10:
    print("Right.")
elif stops_at == losses.index(min(losses)):
    print("Not yet: that is the best epoch. Patience runs out later.")
elif stops_at in (best + 9, best + 11):
    print("Not yet: one epoch off. How old is the best loss then?")
else:
    print("Not yet: when the best loss is 10 epochs old, not at", stops_at)

# %% [markdown] tags=["hint"]
# Keep the number of the best epoch so far, and stop when it is 10 behind.

# %% [markdown] tags=["solution"]
# The loss is lowest at epoch 18, and the ten after it bring nothing better. The weights to keep are
# those of 18, not those of the stop.

# %% [markdown] tags=["exercise"]
# On points from 0 to 5, up to which learning rate does MSE with SGD converge? Compute the limit.

# %% tags=["solution"]
X_long, y_long = make_line(0, 5, 0.1)
# starter: my_limit = 0.0
columns = torch.cat([X_long, torch.ones_like(X_long)], dim=1)
table = 2 * columns.T @ columns / len(columns)
my_limit = 2 / torch.linalg.eigvalsh(table).max().item()

# %% tags=["check"]
ends = []
for lr in (0.99 * my_limit, 1.01 * my_limit):
    line = nn.Linear(1, 1)
    sgd = torch.optim.SGD(line.parameters(), lr=max(lr, 0.0))
    for _ in range(1000):
        loss = mse(line(X_long), y_long)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    ends.append(loss.item())
if not ends[0] < 0.1:
    print("Not yet: just below your limit, the loss should become small.")
elif ends[1] < 1:
    print("Not yet: just above your limit, the loss should blow up.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# Do as in [Where the edge is](#where-the-edge-is), with other points.

# %% [markdown] tags=["solution"]
# Large features make a steep bowl: with x up to 5 the limit is a tenth of what it was. That is one
# reason to scale features.

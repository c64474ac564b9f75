# ---
# description: Sweep settings one at a time, keep the results, and say how sure a comparison is.
# ---

# %% [markdown]
# # Run experiments
#
# About 28 minutes.
#
# [The page before](index.md) explains how experiments are compared. Here you run some: by
# hand first, then with the `workflow` function that does the same, then with an `assert` that the
# two agree.

# %%
import copy
import itertools
import json
import math
import random
import statistics
import tempfile
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
    difference,
    evaluate,
    fit,
    grid,
    make_line,
    plot_history,
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
# The hypothesis holds, with a surprise: 1 and 10 end where they began. Under L1 each point pulls
# with the same force however large its error is, so too large a step overshoots, and the next one
# comes all the way back, after 100 steps as after two. One line bounces and can't blow up. Two
# layers can, as each one's gradient is multiplied by the other's weights.
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
# [`fit`][workflow.fit] doesn't go on from a number that is infinite or `nan`. It stops and says
# why.

# %%
model, optimizer = fresh_line(lr=10)
data = X_train, y_train
try:
    fit(model, data, loss_fn=mse, optimizer=optimizer, epochs=100)
except DivergedError as error:
    print(error)

# %% [markdown]
# Its advice is where to start. At 1 the loss grows as well, but was still a number when the run
# ended, so `fit` would have said nothing: look at the losses.
#
# ### Where the edge is
#
# How large is too large? For a linear model, MSE and plain gradient descent on all points at once,
# it can be computed. The loss is a bowl, and a bowl has a *curvature*: how fast its slope changes.
# A step multiplies the distance to the bottom by 1 − lr × curvature. Where lr × curvature is above
# 2, that factor is below −1: you land on the other side, further up.
#
# The table of curvatures is called the *Hessian*. `A` has a column for the weight, which is `x`,
# and one for the bias, which is 1. The largest *eigenvalue* is the curvature in the direction in
# which the bowl is steepest.

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
edge = []
for lr in (0.86, 0.87):
    model, optimizer = fresh_line(lr)
    losses = learn(model, optimizer, mse, epochs=1000)
    edge.append(losses[-1])
    print(f"lr {lr}: from {losses[0]:.2f} to {losses[-1]:.1e}")

# %% [markdown]
# Below half the limit no step overshoots; between the two, each crosses the valley and lands a
# little lower on the other side. On [the loss surface](../training/index.md#the-loss-surface) you
# can watch both.
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

peak = losses.index(min(losses))
cycle = next(n for n in range(1000) if len(set(losses[n:])) == 2)
rises = sum(after > before for before, after in itertools.pairwise(losses))
print(f"weight {model.weight.item():.4f}, bias {model.bias.item():.4f}")
print(f"best at epoch {peak}; rose in {rises} of {len(losses)} epochs; a cycle from {cycle} on")
print(f"the last two: {losses[-2]:.5f} and {losses[-1]:.5f}")
assert (peak, rises) == (115, 443)

# %%
# alt: A blue loss curve from epoch 110 on. It sinks in a straight line to its lowest point at
#   epoch 115, then swings between the same two heights at every epoch.
# caption: The same two losses take turns, and will for ever.
fig, ax = plt.subplots()
ax.plot(range(110, 126), losses[110:126], ".-", c="#0072B2")
ax.set(xlabel="epoch", ylabel="training loss")

# %% [markdown]
# The hypothesis is false. It is the [2-cycle](../training/tutorial.py) of the training stage: from
# there on the parameters jump to and fro between the same two places, and the rest of the run
# brought nothing. `fit` agrees, epoch by epoch.

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
# fades near the bottom and the steps shorten by themselves. But short steps are slow, and so it
# wants a larger rate as well.
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
# the L1 run comes fourth. A comparison holds for the budget it was made with, and this one for
# one start on data without noise.
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
# With so few points, validation gets as many as training: few points give rough scores.
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
overfitted = fit(model, train, validation, optimizer=optimizer, **options)
ax = plot_history(overfitted[::40], log=True)  # every 40th epoch will do

lowest = min(overfitted, key=lambda epoch: epoch.validation_loss)
for epoch in (lowest, overfitted[-1]):
    print(f"epoch {epoch.number}: {epoch.train_loss:.4f}, {epoch.validation_loss:.4f}")
assert overfitted[-1].train_loss < lowest.train_loss
assert overfitted[-1].validation_loss > 3 * lowest.validation_loss

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
# Even at the end, each validation loss is less than twice the training loss. The network has twenty
# times as many points to fit now; the smaller model is a straight line, which can't bend.
#
# ## Keep what came out
#
# Now a real choice: SGD or Adam, and at which rate? The budget is 100 epochs and 16 hidden units.
# An experiment is a function from settings to scores. Its seed draws the network's start and
# how the 40 points that are no test data are cut in two.

# %%
rest = [torch.cat(both) for both in zip(train, validation, strict=True)]
kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
networks = {}


def learned(optimizer, lr, start, cut, hidden=16):
    train, validation = split(*rest, fractions=(0.5, 0.5), seed=cut)
    torch.manual_seed(start)
    model = MLP(1, hidden, 1)
    steps = kinds[optimizer](model.parameters(), lr=lr)
    fit(model, train, loss_fn=mse, optimizer=steps, epochs=100)
    return model, evaluate(model, validation, loss_fn=mse)["loss"]


def experiment(seed, **config):
    model, loss = learned(**config, start=seed, cut=seed)
    networks[seed, *config.values()] = model
    return {"validation_loss": loss}


# %% [markdown]
# Write each result down as soon as there is one. JSON is a way to write dictionaries as text; a
# file with one a line is called *JSON lines*, and a new result is just one more line.

# %%
folder = Path(tempfile.mkdtemp())
kept = folder / "by_hand.jsonl"

for optimizer in ("sgd", "adam"):
    for lr in (0.01, 0.1):
        for seed in (0, 1, 2):
            config = {"optimizer": optimizer, "lr": lr}
            record = config | {"seed": seed} | experiment(seed, **config)
            with kept.open("a") as file:
                file.write(json.dumps(record) + "\n")

records = [json.loads(line) for line in kept.read_text().splitlines()]
print(len(records), "results; the first:", records[0])

# %% [markdown]
# [`grid`][workflow.grid] makes the combinations, [`run`][workflow.run] does the rest, and
# [`read_results`][workflow.read_results] reads the file. Let the power fail in the sixth run.

# %%
configs = grid(optimizer=["sgd", "adam"], lr=[0.01, 0.1])
crashed = folder / "crashed.jsonl"
calls = []


def fragile(**settings):
    calls.append(settings)
    if len(calls) == 6:
        raise RuntimeError("the power went")
    return experiment(**settings)


try:
    run(fragile, configs, seeds=[0, 1, 2], path=crashed)
except RuntimeError as error:
    print(f"{error}; {len(read_results(crashed))} results are on disk")

# %% [markdown]
# Only the run in progress is lost. Make the same call again, and `run` skips what the file has.

# %%
results = run(fragile, configs, seeds=[0, 1, 2], path=crashed)
print(len(calls), "calls for", len(results), "results")

for result, record in zip(results, records, strict=True):
    assert result.scores["validation_loss"] == record["validation_loss"]

# %% [markdown]
# It knows a run by its settings, its seed and the code of the experiment. It doesn't look at the
# data: when that changes, start a new file.
#
# `run` takes any list of settings, not only a grid. Where there are many settings to try,
# *random search* draws each anew: twelve runs then try twelve learning rates, not three or four.

# %%
draw = random.Random(0)
for _ in range(3):
    print({"optimizer": draw.choice(["sgd", "adam"]), "lr": 10 ** draw.uniform(-3, 0)})

# %% [markdown]
# ## Luck or effect
#
# Which settings win, seed by seed? Now there are ten.

# %%
results = run(experiment, configs, seeds=range(10), path=folder / "results.jsonl")
for seed in range(10):
    of_seed = [result for result in results if result.seed == seed]
    best = min(of_seed, key=lambda result: result.scores["validation_loss"])
    print(seed, *best.config.values(), end="; ")

# %% [markdown]
# Three of the four win somewhere. One run can't tell luck from effect.
#
# ### Three kinds of luck
#
# Take one setting, and let one thing vary at a time: the start, the split, and which 20 points
# score a finished network. We made the data, so there are more.

# %%
# alt: Three rows of ten purple triangles. With another start they lie within a narrow band; with
#   another split, and with other points to score the same network, they spread several times as
#   wide.
# caption: One setting, and each time another kind of luck; the grey line is the mean.
one = {"optimizer": "sgd", "lr": 0.1}
network, _ = learned(**one, start=0, cut=0)
others = [make_line(0, 1, 0.05, noise=0.1, seed=seed) for seed in range(10, 20)]
luck = {
    "other points": [evaluate(network, points, loss_fn=mse)["loss"] for points in others],
    "another split": [learned(**one, start=0, cut=seed)[1] for seed in range(10)],
    "another start": [learned(**one, start=seed, cut=0)[1] for seed in range(10)],
}
for name, losses in luck.items():
    print(f"{name:13}  mean {statistics.fmean(losses):.4f}, SD {statistics.stdev(losses):.4f}")


def look_up(vary, seed):
    return {"validation_loss": luck[vary][seed]}


ax = plot_results(run(look_up, grid(vary=list(luck)), seeds=range(10)))

# %% [markdown]
# SD is the *standard deviation*: how far the runs usually lie from their mean. The start, which is
# all that people vary who run “several seeds”, is the smallest luck here. Our experiment varies
# all three, as another split also scores on other points.
#
# ### Differences on the same seeds
#
# With the same seed two settings get the same split and are scored on the same points. That luck
# they share, so look at the *difference*, seed by seed, and take the mean. Its *standard error*
# says how far that mean usually is from the mean of endless seeds: the SD of the differences,
# divided by the root of their number.


# %%
def scores(optimizer, lr):
    config = {"optimizer": optimizer, "lr": lr}
    return [result.scores["validation_loss"] for result in results if result.config == config]


def mean_and_error(numbers):
    return statistics.fmean(numbers), statistics.stdev(numbers) / math.sqrt(len(numbers))


leader = scores("sgd", 0.1)
for optimizer, lr in [("adam", 0.01), ("adam", 0.1), ("sgd", 0.01)]:
    differences = [b - a for a, b in zip(leader, scores(optimizer, lr), strict=True)]
    mean, standard_error = mean_and_error(differences)
    print(f"{optimizer:4} {lr:<4}  {mean:+.5f} ± {standard_error:.5f}")

# %% [markdown]
# Is that more than luck? Luck alone seldom takes a mean beyond a few standard errors. How many that
# is depends on the number of seeds, for with few of them the standard error itself is a guess. The
# limit comes from *Student's t*: of two equal settings, about 1 comparison in 20 gets beyond it.

# %%
a, b = {"optimizer": "sgd", "lr": 0.1}, {"optimizer": "sgd", "lr": 0.01}
pair = [result for result in results if result.config in (a, b)]
for seeds in (2, 3, 5, 10):
    few = [result for result in pair if result.seed < seeds]
    print(f"{seeds:2} seeds: {difference(few, a, b).limit:.2f} standard errors")

found = difference(results, a, b)
assert found[:2] == (mean, standard_error)
print(f"four settings, {found.seeds} seeds: {found.limit:.2f}")

# %% [markdown]
# Four settings are six pairs, six chances for luck, so [`difference`][workflow.difference] asks for
# more. [`compare`][workflow.compare] does it for all, best first, and [`choose`][workflow.choose]
# returns the best with those it can't be told apart from.

# %%
print(compare(results))
choice = choose(results)
print(choice.config, "or", len(choice.undecided), "others")
assert f"{mean:+.3g} ± {standard_error:.2g}" in compare(results)

# %% [markdown]
# SGD at 0.01 is worse: that is decided. Among the other three these runs can't tell. *Undecided* is
# a result, and doesn't mean equal. More seeds and more validation data would decide it, if there
# is something to decide. Until then take the simplest or the cheapest, and claim nothing.
#
# Is Adam better than SGD, then? At 0.01 it is, at 0.1 nobody knows: the settings *interact*. How
# much more the rate matters to SGD than to Adam is a difference of differences.

# %%
by_seed = zip(*(scores(**config) for config in configs), strict=True)
doubled = [(sgd_slow - sgd) - (adam_slow - adam) for sgd_slow, sgd, adam_slow, adam in by_seed]
print("SGD − Adam, at 0.01:  {:.4f} ± {:.4f}".format(*difference(results, configs[2], b)))
print("more for SGD:         {:.4f} ± {:.4f}".format(*mean_and_error(doubled)))

# %% [markdown]
# ### For once, we can look
#
# With real data you would never know. But we made this line, so we can make 10,000 more points of
# it and score the same 40 networks on those.

# %%
new = make_line(0, 1, 0.0001, noise=0.1, seed=1)


def on_new_points(seed, **config):
    network = networks[seed, *config.values()]
    return {"loss": evaluate(network, new, loss_fn=mse)["loss"]}


looked = run(on_new_points, configs, seeds=range(10))
print(compare(looked, by="loss"))

assert choose(looked, by="loss") == choice

# %% [markdown]
# What was decided is true, and what was undecided still is. Yet all losses are lower than they
# were: the 40 points are unlucky ones. A score belongs to the points it was measured on;
# the difference between two settings depends less on them.
#
# Less isn't not at all. All our splits cut up the same 40 points, so they overlap, and the standard
# error knows nothing of those 40. It is too small for a claim about new data. With 64 units it
# leads astray:

# %%
wide = [{"optimizer": kind, "lr": 0.01, "hidden": 64} for kind in ("adam", "sgd")]
claimed = difference(run(experiment, wide, seeds=range(20)), *wide)
true = difference(run(on_new_points, wide, seeds=range(20)), *wide, by="loss")

for name, found in {"on the 40 points": claimed, "on 10,000 new ones": true}.items():
    verdict = "decided" if found.decided else "undecided"
    print(f"{name:18}  {found.mean:+.5f} ± {found.standard_error:.5f}  {verdict}")
assert claimed.decided
assert not true.decided

# %% [markdown]
# More seeds would only make it surer. What helps is more data: so read a narrow “decided” from few
# points as a hint. *Cross-validation* is the tidier way to split again and again: cut the points in
# five, and let each fifth score once, so that every point counts as often as every other. Its parts
# overlap as well.
#
# ### How often a rule is wrong
#
# Rules can be tried where the truth is known. Here are 1000 comparisons of two settings. Half of
# the luck in each score is shared, as by split and points, half is its own. The spread of a
# setting's runs is 1, and `gap` is how much worse the second one truly is.


# %%
def needed(seeds):
    made_up = run(lambda side, seed: {"loss": side * seed}, grid(side=[0, 1]), seeds=range(seeds))
    return difference(made_up, {"side": 0}, {"side": 1}, by="loss").limit


def claims(seeds, gap):
    generator = torch.Generator().manual_seed(seeds)
    shared, own_a, own_b = torch.randn(3, 1000, seeds, generator=generator)
    a, b = (shared + own_a) / math.sqrt(2), (shared + own_b) / math.sqrt(2) + gap
    mean, error = (b - a).mean(dim=1), (b - a).std(dim=1) / math.sqrt(seeds)
    bars = {
        "the best mean wins": torch.zeros(1000),
        "more than the spread": torch.maximum(a.std(dim=1), b.std(dim=1)),
        "two standard errors": 2 * error,
        "the limit of compare": needed(seeds) * error,
    }
    return {
        rule: ((mean > bar).sum().item(), (mean < -bar).sum().item()) for rule, bar in bars.items()
    }


for gap in (0, 0.7):
    print(f"gap {gap}, seeds:            3          10         100")
    tallies = [claims(seeds, gap) for seeds in (3, 10, 100)]
    for rule in tallies[0]:
        print(f"{rule:20}", *("{:4} {:3}".format(*tally[rule]) for tally in tallies), sep="    ")

# %% [markdown]
# Each pair counts how often the first setting was called better, and how often the second. With a
# gap of 0, each claim is wrong. *The best mean* always claims. *The spread* is no yardstick: with
# three seeds it makes more false claims than it should, and with 100 it finds nothing, as runs
# differ no less for being more. *Two standard errors* are too few for few seeds. The limit that
# `compare` takes errs in about 1 of 20 at any number, and finds the gap once there are enough.

# %% tags=["collapse"]
# publish: runs
# alt: Two panels of lines over 2 to 100 seeds. Left, false claims where there is no difference: the
#   best mean always claims; the spread and two standard errors start high and fall; the limit of
#   compare stays low throughout. Right, a difference of 0.7 found: the limit and two standard
#   errors climb to all of 1000; the spread sinks to none.
# caption: Of 1000 comparisons of two settings, by the number of seeds. With JavaScript, you can go
#   through them, and change the difference and the luck that is shared.
seeds = [2, 3, 5, 10, 20, 50, 100]
styles = {"the best mean wins": ":", "more than the spread": "--", "two standard errors": "-."}
fig, axes = plt.subplots(1, 2, sharey=True)
for ax, gap in zip(axes, (0, 0.7), strict=True):
    tallies = [claims(n, gap) for n in seeds]
    for rule in tallies[0]:
        counts = [right + (0 if gap else wrong) for right, wrong in (t[rule] for t in tallies)]
        ax.plot(seeds, counts, styles.get(rule, "-"), c="black", label=rule)
    ax.set(xscale="log", xlabel="seeds", xticks=[2, 10, 100], xticklabels=[2, 10, 100])
    ax.set_title("found: a gap of 0.7" if gap else "claimed: a gap that isn't there", size=10)
axes[0].legend(fontsize=8)
print(json.dumps({"limits": {n: round(needed(n), 4) for n in seeds}}))

# %% [markdown]
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
# Everything is chosen now. Train with those settings on all 40 points, and open the test. Beside it
# stands the true line the data was made from: all that it misses is noise. Both are scored on the
# same ten points, so again there are differences, here one a point.

# %%
torch.manual_seed(0)
model = MLP(1, 16, 1)
optimizer = kinds[choice.config["optimizer"]](model.parameters(), lr=choice.config["lr"])
fit(model, rest, loss_fn=mse, optimizer=optimizer, epochs=100)

X_test, y_test = test
with torch.inference_mode():
    of_network = (model(X_test) - y_test).square().flatten()
of_truth = (0.7 * X_test + 0.3 - y_test).square().flatten()
for name, errors in [("network", of_network), ("truth", of_truth), ("gap", of_network - of_truth)]:
    print("{:7}  {:+.4f} ± {:.4f}".format(name, *mean_and_error(errors.tolist())))

# %% [markdown]
# A score of ten points is rough: so is its distance from the truth, though both were scored on the
# same ten. Report the score with its error, and change nothing after it: a second look would be a
# choice.

# %% tags=["collapse"]
# publish: experiments
line, sgd = fresh_line(lr=0.01)
learn(line, sgd, l1, epochs=100)
axes = {name: range(4) for name in ("lr", "hidden", "batch")}
gaps = {
    "sure": difference(results, a, b),
    "unsure": difference(results, a, configs[2]),
    "looked": difference(looked, a, b, by="loss"),
    "claimed": claimed,
    "true": true,
}
numbers = {
    "edge": f"{limit:.4f}",
    "peak": peak,
    "cycle": cycle,
    "below": f"{edge[0]:.2g}",
    "above": f"{edge[1]:.0e}".replace("e+", "e"),
    "l1": f"{l1(line(X_train), y_train).item():.2g}",
    "mse": f"{mse(line(X_train), y_train).item():.2g}",
    "runs": len(grid(**axes)) * 3,
    "more_runs": len(grid(**axes, momentum=range(4))) * 3,
    "epoch": lowest.number,
    "lowest": f"{lowest.validation_loss:.4f}",
    "last": f"{overfitted[-1].validation_loss:.4f}",
    "seeds": ", ".join(f"{loss:.4f}" for loss in leader[:3]),
    "a": f"{leader[0]:.4f}",
    "b": f"{scores('adam', 0.01)[0]:.4f}",
    "four": f"{gaps['sure'].limit:.2f}",
}
numbers |= {f"limit{n}": f"{needed(n):.1f}" for n in (3, 10, 100)}
numbers |= {name: f"{mean:.4f} ± {error:.4f}" for name, (mean, error, *_) in gaps.items()}
numbers |= {name.split()[1]: f"{statistics.stdev(losses):.4f}" for name, losses in luck.items()}
for n in (3, 100):
    for rule, counts in claims(n, 0).items():
        numbers[f"false_{rule.split()[-1]}_{n}"] = sum(counts)
    for rule, (right, _) in claims(n, 0.7).items():
        numbers[f"found_{rule.split()[-1]}_{n}"] = right
print(json.dumps(numbers))

# %% [markdown]
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
if not isinstance(my_choice, int):
    print("Not yet: a number of units is expected, one of the four.")
elif my_choice == by["validation"]:
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
# Two settings with the same five seeds. Compute by how much the second is worse, as the mean
# difference and its standard error, in a pair.

# %% tags=["solution"]
first = [0.21, 0.35, 0.22, 0.33, 0.24]
second = [0.23, 0.36, 0.25, 0.36, 0.26]
# starter: my_difference = (0.0, 0.0)
pairs = [b - a for a, b in zip(first, second, strict=True)]
my_difference = (statistics.fmean(pairs), statistics.stdev(pairs) / math.sqrt(5))

# %% tags=["check"]
apart = torch.tensor(second) - torch.tensor(first)
try:
    its_mean, its_error = (float(number) for number in my_difference)
except (TypeError, ValueError):
    its_mean = its_error = math.nan


def is_near(number, wanted):
    return math.isclose(number, float(wanted), abs_tol=6e-5)


spreads = [torch.tensor(runs).std() for runs in (first, second)]
if math.isnan(its_mean):
    print("Not yet: a pair of two numbers is expected, the mean first.")
elif is_near(its_mean, -apart.mean()):
    print("Not yet: the other way around, second minus first.")
elif not is_near(its_mean, apart.mean()):
    print("Not yet: the mean of the five differences is something else.")
elif is_near(its_error, apart.std()):
    print("Not yet: that is their standard deviation. How many differences are there?")
elif is_near(its_error, math.hypot(*spreads) / math.sqrt(5)):
    print("Not yet: that is without the pairs. Take the differences first, then their deviation.")
elif is_near(its_error, apart.std(correction=0) / math.sqrt(5)):
    print("Not yet: divide the squares by 4, as `stdev` does, and then by the root of 5.")
elif not is_near(its_error, apart.std() / math.sqrt(5)):
    print("Not yet: the mean is right, the standard error isn't.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# `zip` goes through both at once; `statistics.stdev` takes a list.

# %% [markdown] tags=["solution"]
# Beyond [the limit for 5 seeds](#differences-on-the-same-seeds): decided. Yet the runs of each
# setting spread more than twice as wide as the settings differ. All that luck was shared.

# %% [markdown] tags=["exercise"]
# Write a function that returns the epoch at which a run stops: when the lowest loss so far is
# `patience` epochs old, or at the last one.


# %% tags=["solution"]
def stops_at(losses, patience):
    # starter: return 0
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            return number
    return len(losses) - 1


# %% tags=["check"]
waves = [math.cos(n / 6) + n / 50 for n in range(100)]
lowest = waves.index(min(waves))
if stops_at(waves, 10) == lowest + 10 and stops_at([3, 1, 2, 1, 2, 2], 3) == 4:
    falling = stops_at([3, 2, 1], 10)
    print("Right." if falling == 2 else f"Not yet: losses that only fall stop at {falling}.")
elif stops_at(waves, 10) == lowest:
    print("Not yet: that is the best epoch. Patience runs out later.")
elif stops_at(waves, 10) in (lowest + 9, lowest + 11):
    print("Not yet: one epoch off. How old is the best loss then?")
elif stops_at(waves, 10) != lowest + 10:
    print("Not yet: when the best loss is 10 epochs old, not at", stops_at(waves, 10))
else:
    print("Not yet: the losses 3, 1, 2, 1, 2, 2 and a patience of 3 stop at 4, not at", end=" ")
    print(stops_at([3, 1, 2, 1, 2, 2], 3))

# %% [markdown] tags=["hint"]
# Keep the number of the best epoch so far, and stop when it is `patience` behind.

# %% [markdown] tags=["solution"]
# An equal loss is no new best. The weights to keep are those of the best epoch, not of the stop.

# %% [markdown] tags=["exercise"]
# On points from 0 to 5, up to which learning rate does MSE with SGD converge? Compute the limit.

# %% tags=["solution"]
X_long, y_long = make_line(0, 5, 0.1)
# starter: my_limit = 0.0
columns = torch.cat([X_long, torch.ones_like(X_long)], dim=1)
table = 2 * columns.T @ columns / len(columns)
my_limit = 2 / torch.linalg.eigvalsh(table).max().item()

# %% tags=["check"]
both = torch.cat([X_long, torch.ones_like(X_long)], dim=1)
its_limit = 2 / torch.linalg.eigvalsh(2 * both.T @ both / len(both)).max().item()
try:
    share = float(my_limit) / its_limit
except (TypeError, ValueError):
    share = math.nan
if math.isnan(share):
    print("Not yet: one number is expected.")
elif abs(share - 1) < 1e-3:
    print("Right.")
elif abs(share - 0.5) < 1e-3:
    print("Not yet: half of it. From there on a step overshoots, but still lands nearer.")
elif abs(share - 2) < 1e-3:
    print("Not yet: twice as high. The slope of a square is 2 times what was squared.")
elif share < 1:
    print("Not yet: just above your limit, training would still converge.")
else:
    print("Not yet: just below your limit, the loss would blow up.")

# %% [markdown] tags=["hint"]
# Do as in [Where the edge is](#where-the-edge-is), with other points.

# %% [markdown] tags=["solution"]
# Large features make a steep bowl, and the limit becomes small. That is one reason to scale
# features.

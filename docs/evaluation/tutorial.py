# ---
# description: Predict with a trained model, score it beside baselines, and see what a score hides.
# given: [0.01, 0.7, 0.8, 100, 400]
# ---

# %% [markdown]
# # Judge the model
#
# About 22 minutes.
#
# [The page before](index.md) explains what a good score is. Here you predict with a trained
# model, score it by hand and with `workflow`, and see how a score can mislead.

# %%
import json
import warnings

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    MLP,
    LinearRegressionModel,
    accuracy,
    batches,
    confusion_matrix,
    evaluate,
    fit,
    make_line,
    mean_absolute_error,
    mean_squared_error,
    plot_decision_boundary,
    plot_history,
    plot_predictions,
    predict,
    r2_score,
    split,
)

# %% [markdown]
# First the model to judge: the line, trained for 100 epochs. We keep what it predicted before
# training, to compare.

# %%
train, test = split(*make_line(), shuffle=False)
(X_train, y_train), (X_test, y_test) = train, test
loss_fn = nn.L1Loss()

torch.manual_seed(42)
model = LinearRegressionModel()
untrained = predict(model, X_test)

optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
history = fit(model, train, loss_fn=loss_fn, optimizer=optimizer, epochs=100)
learned = f"weights {model.weights.item():.4f}, bias {model.bias.item():.4f}"
print(learned)
assert learned == "weights 0.5784, bias 0.3513"

# %% [markdown]
# ## Predict, by three rules
#
# Using a trained model is called *inference*. Three rules: the model is in eval mode,
# autograd doesn't record, and the data has the model's dtype and is on its device. By hand:

# %%
model.eval()
with torch.inference_mode():
    y_pred = model(X_test)

# %% [markdown]
# [`predict`][workflow.predict] follows the first two rules. Afterwards the model is in the mode
# that it was in before.

# %%
model.train()
assert torch.equal(predict(model, X_test), y_pred)
assert model.training

# %% [markdown]
# Now break the rules, one after the other.
#
# ### Without eval mode
#
# Our line does the same in both modes, but some layers don't. `nn.Dropout(0.5)` loses about
# half of its numbers at random in train mode, and none in eval mode. Ask the same question
# twice in each.

# %%
torch.manual_seed(42)
forgetful = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.5), nn.Linear(8, 1))
question = torch.ones(1)

with torch.inference_mode():
    twice = forgetful(question), forgetful(question)
    print("train mode:", *twice)
    forgetful.eval()
    print("eval mode: ", forgetful(question), forgetful(question))

# %% [markdown]
# In train mode the answer is a matter of luck, and inference mode does not help.
#
# ### Without inference mode
#
# Here the answers stay right, but you pay for them. Autograd holds on to numbers, for a
# backward pass that will never come. PyTorch calls the first function below for each tensor
# that it keeps, so we can count.

# %%
kept = []
count = torch.autograd.graph.saved_tensors_hooks(
    lambda tensor: kept.append(tensor.numel()), lambda nothing: nothing
)
wide = MLP(1, (64, 64), 1)  # two hidden layers, 64 numbers wide
with count:
    wide(X_test)
    print("recording:", sum(kept), "numbers kept for", len(X_test), "answers")
    kept.clear()
    predict(wide, X_test)
    print("inference:", sum(kept))

# %% [markdown]
# Some of these are the model's own weights; the rest grows with every row of data.
#
# ### With data that doesn't fit
#
# A layer computes with one dtype, on one device. The device `"meta"` exists on every machine
# and holds shapes without numbers; it stands in for a GPU here.

# %%
layer = nn.Linear(1, 1)
for X_wrong in (X_test.double(), X_test.to("meta")):  # double is float64
    try:
        layer(X_wrong)
    except RuntimeError as error:
        print(error)

# %% [markdown]
# Arithmetic is more forgiving. Our own model multiplies and adds, and for that PyTorch
# *promotes*: it computes in the larger of the two dtypes and says nothing. L1 and MSE promote
# too. So must labels be cast, as in `y_test.type(torch.float)`? Ours are float32 already, and
# nothing happens.

# %%
print(model(X_test.double()).dtype, loss_fn(y_pred, y_test.double()).dtype)
assert y_test.type(torch.float) is y_test

# %% [markdown]
# ## Look before you measure
#
# Draw the predictions before and after training with
# [`plot_predictions`][workflow.plot_predictions].

# %%
# alt: Forty blue circles climb in a straight line, and ten green squares carry on. Ten grey
#   crosses, before training, lie far below the squares. Ten red crosses, after training, lie
#   just under the squares, in a row that is a little less steep.
# caption: Predictions before training, grey, and after 100 epochs, red.
ax = plot_predictions(train, test, y_pred)
ax.plot(X_test, untrained, "x", c="gray", label="before training")
ax.legend()

# %% [markdown]
# Much better, but not yet on the line: the crosses fall behind as *x* grows.
#
# ## Which loss to report
#
# A training loop measures the loss, and then takes a step. So the last number it prints
# belongs to weights that are already gone. Measure again, with the weights you keep.
# [`evaluate`][workflow.evaluate] does that.

# %%
final = loss_fn(predict(model, X_train), y_train).item()
on_test = loss_fn(y_pred, y_test).item()
assert evaluate(model, train, loss_fn=loss_fn)["loss"] == final
assert evaluate(model, test, loss_fn=loss_fn)["loss"] == on_test

print(f"printed in the last epoch: {history[-1].train_loss:.5f}")
print(f"of the final weights:      {final:.5f}")
print(f"... on the test data:      {on_test:.5f}")

# %% [markdown]
# The number to report is the last one: final weights, and data that they didn't learn from.
#
# ### An average of averages
#
# The mean of the batch losses isn't the mean over the examples when the last batch is short.
# `evaluate` gathers all predictions first, so batches can't change its result.

# %%
parts = list(batches(X_test, y_test, batch_size=4))
losses = [loss_fn(predict(model, X), y).item() for X, y in parts]
gathered = evaluate(model, parts, loss_fn=loss_fn)["loss"]
print("batch sizes:", [len(X) for X, _ in parts])
print(f"mean of the batch losses: {sum(losses) / len(losses):.5f}")
print(f"evaluate:                 {gathered:.5f}")
assert abs(gathered - on_test) < 1e-7

# %% [markdown]
# In the mean, the two examples of the last batch counted as much as four others.
#
# ## Three metrics by hand
#
# The loss is what training lowers; a *metric* is what you report. For numbers there are three
# usual ones: MAE, MSE, and [R²][workflow.r2_score], which compares the squared misses with those
# of someone who always says the labels' mean.

# %%
misses = y_pred - y_test
mae = misses.abs().mean().item()
mse = misses.square().mean().item()
r2 = (1 - misses.square().sum() / (y_test - y_test.mean()).square().sum()).item()

metrics = {"MAE": mean_absolute_error, "MSE": mean_squared_error, "R²": r2_score}
scores = evaluate(model, test, loss_fn=loss_fn, metrics=metrics)
assert [mae, mse, r2] == [scores["MAE"], scores["MSE"], scores["R²"]]

# %% [markdown]
# ## Put a baseline beside it
#
# A score says nothing alone. A *baseline* is what you get without the model. The simplest
# answers the training labels' mean every time. A stronger one is the *least-squares line*,
# the line with the lowest MSE on the training data. A formula finds it in one call: give it a
# column of *x* and a column of ones, one for each number to find. And as we made the data, we
# have the true line too.


# %%
def least_squares(X, y):
    columns = torch.cat([X, torch.ones_like(X)], dim=1)
    weight, bias = torch.linalg.lstsq(columns, y).solution
    return lambda X: weight * X + bias


def table(answers, y):
    print(" " * 7 + "".join(f"{name:>9}" for name in metrics))
    for name, answer in answers.items():
        values = [metric(answer, y) for metric in metrics.values()]
        print(f"{name:7}" + "".join(f"{value:9.4f}" for value in values))


line = least_squares(X_train, y_train)
answers = {
    "mean": y_train.mean().expand_as(y_test),
    "model": y_pred,
    "formula": line(X_test),
    "truth": 0.7 * X_test + 0.3,
}
table(answers, y_test)
print(f"the labels: {y_test.min():.3f} to {y_test.max():.3f}")
assert r2 < 0
assert mean_absolute_error(line(X_test), y_test) < 1e-6

# %% [markdown]
# Every row is for the same ten test points, of the split in order; the model's seed is 42.
#
# The model is far better than the training mean. Yet its R² is below 0: whoever knew the mean
# of the *test* labels would beat it, as these ten labels differ so little. And the formula is
# exact, without any training. For a straight line, that baseline is the better tool.
#
# ## Noise sets a floor
#
# Real labels have errors of their own, called *noise*. Here it has a *standard deviation* of
# 0.1: the root of its mean square, which says how far it usually goes. The misses of the true
# line *are* the noise, so its MSE is near 0.1², or 0.01. Forty noisy points to learn from:

# %%
noisy_train, noisy_test = split(*make_line(noise=0.1, seed=0))
X, y = noisy_train
line = least_squares(X, y)
table({"formula": line(X), "truth": 0.7 * X + 0.3}, y)

# %% [markdown]
# By MSE, the fitted line seems to beat the truth, because it fitted some of the noise. On a
# thousand new points that advantage is gone. The last line says how far such a score is off
# by luck: its *standard error*, the standard deviation of what is averaged, divided by the root
# of how many there are.

# %%
X_new, y_new = make_line(0, 1, 0.001, noise=0.1, seed=1)
truth = 0.7 * X_new + 0.3
table({"formula": line(X_new), "truth": truth}, y_new)

squares = (truth - y_new).square()
print(f"standard error of the truth's MSE: {squares.std() / len(squares) ** 0.5:.4f}")
assert mean_squared_error(line(X), y) < mean_squared_error(0.7 * X + 0.3, y)
assert mean_squared_error(line(X_new), y_new) > mean_squared_error(truth, y_new)

# %% [markdown]
# The floor of 0.01 is what the best model gets on average, and no wall: by luck, the truth's own
# score is below it about half of the time. But a score that is many standard errors below it, on
# new points, is a reason to look for a leak.
#
# R² needs care here. Score the true line on the points with *x* from 0.8 only. It misses by
# about as much, but the labels vary less.

# %%
for name, part in [("all points", X_new >= 0), ("x from 0.8", X_new >= 0.8)]:
    mae_part = mean_absolute_error(truth[part], y_new[part])
    r2_part = r2_score(truth[part], y_new[part])
    print(f"{name}: MAE {mae_part:.3f}, R² {r2_part:.3f}")

# %% [markdown]
# So compare R² only on the same data. To see whether a model missed a pattern, draw the
# *residuals*, label minus prediction, here on sixteen more new points.

# %%
# alt: Label minus prediction over x. The circles, for the least-squares line, are a level
#   cloud around zero. The crosses, for the training mean, climb from below zero on the left
#   to above it on the right.
# caption: Residuals of the least-squares line and of the training mean.
X_more, y_more = make_line(0, 1, 1 / 16, noise=0.1, seed=2)
fig, ax = plt.subplots()
ax.plot(X_more, y_more - line(X_more), "o", ms=4, c="black", label="formula")
ax.plot(X_more, y_more - y.mean(), "x", ms=5, c="gray", label="mean")
ax.axhline(0, c="gray", lw=1)
ax.set(xlabel="x", ylabel="residual")
ax.legend()

# %% [markdown]
# In the circles only noise is left. The crosses still have a slope, which a better model
# could learn.
#
# ## Learning curves
#
# The loss over the epochs, drawn by [`plot_history`][workflow.plot_history], shows *how* a
# model fails. Take a noisy wave: 400 points, or 20, to learn from, and a hundred as validation
# data, so that the test stays out of this. An MLP draws bent lines; without hidden layers it is
# a straight one. Adam is an optimizer that needs less tuning than SGD.


# %%
def wave(step, seed):
    X, _ = make_line(-1, 1, step)
    seeded = torch.Generator().manual_seed(seed)
    return X, torch.sin(4 * X) + 0.3 * torch.randn(X.shape, generator=seeded)


many = wave(0.005, seed=1)
others, validation = split(*wave(0.01, seed=0), fractions=(0.5, 0.5))
few = (others[0][:20], others[1][:20])


def learn(hidden, data):
    torch.manual_seed(42)
    mlp = MLP(1, hidden, 1)
    mse, adam = nn.MSELoss(), torch.optim.Adam(mlp.parameters(), lr=0.01)
    return fit(mlp, data, validation, loss_fn=mse, optimizer=adam, epochs=500)


# %%
# alt: Three plots of loss over epochs, each with a level grey line for the noise. Top,
#   underfit: both curves level off far above the grey line. Middle, good fit: both fall
#   together and end beside it. Bottom, overfit: the training curve falls far below it, while the
#   validation curve turns and slowly climbs.
# caption: A straight line, an MLP with 400 points, and the same MLP with 20. Grey is the
#   noise.
cases = {
    "underfit": ((), many),
    "good fit": ((128, 128), many),
    "overfit": ((128, 128), few),
}
ends = {}
fig, axes = plt.subplots(3, 1, figsize=(5, 6), sharex=True)
for ax, (name, (hidden, data)) in zip(axes, cases.items(), strict=True):
    curve = learn(hidden, data)
    plot_history(curve[::25], ax=ax)  # every 25th epoch
    ax.set(title=name, xlabel="", ylim=(0, 0.6), xticks=range(0, 501, 100))
    ax.axhline(0.3**2, c="gray", lw=1)
    lowest = min(epoch.validation_loss for epoch in curve)
    ends[name] = curve[-1].train_loss, curve[-1].validation_loss, lowest
    numbers = "train {:.3f}, validation {:.3f}, lowest {:.3f}"
    print(f"{name}:", numbers.format(*ends[name]))
axes[1].get_legend().remove()
axes[2].get_legend().remove()
axes[2].set_xlabel("epoch")

assert min(ends["underfit"]) > 4 * 0.09
assert all(0.85 * 0.09 < loss < 1.05 * 0.09 for loss in ends["good fit"])
train_loss, validation_loss, lowest = ends["overfit"]
assert train_loss < 0.5 * 0.09
assert validation_loss > 1.5 * lowest

# %% [markdown]
# The noise's floor is 0.3², or 0.09. Underfit: both losses stay far above it, so the model is
# too simple, or it had too few epochs. Good fit: both end beside it (the validation loss just
# below: these hundred points have a little less noise than most). Overfit: the training loss is
# far *below* the floor, so the model learned noise, and the validation loss has risen from its
# lowest. More data helped: nothing else differs between the last two.
#
# ## Beyond the data
#
# Our ordered test asks about *x* from 0.8, which no training point reaches. Train one MLP on
# the noise-free line in both splits, and ask for *x* from -5 to 5 as well. The least-squares
# line stands beside it.

# %%
X_far, y_far = make_line(-5, 5.5, 0.5)


def fitted_mlp(X, y):
    torch.manual_seed(42)
    mlp = MLP(1, 16, 1)
    sgd = torch.optim.SGD(mlp.parameters(), lr=0.1)
    fit(mlp, (X, y), loss_fn=nn.MSELoss(), optimizer=sgd, epochs=1000)
    return lambda X: predict(mlp, X)


errors = {}
print("MAE                test      far")
for name, shuffle in [("ordered", False), ("shuffled", True)]:
    seen, asked = split(*make_line(), shuffle=shuffle)
    for who, learned_by in [("line", least_squares), ("MLP", fitted_mlp)]:
        answer = learned_by(*seen)
        near = mean_absolute_error(answer(asked[0]), asked[1])
        far = mean_absolute_error(answer(X_far), y_far)
        print(f"{who:5}{name:8}{near:9.4f}{far:9.4f}")
    errors[name] = near  # the MLP's

assert errors["shuffled"] < errors["ordered"]

# %% [markdown]
# The same MLP scores better in the shuffled split, between points that it knows, than in the
# ordered one, just beyond them. Far outside it is lost. Its low test score was true, for the
# question that the test asked. The line goes on because the truth happens to be a line.
#
# ## A shape that passes unnoticed
#
# Labels of shape `(50,)` beside predictions of shape `(50, 1)`: PyTorch compares each label
# with every prediction. It warns in each epoch, and goes on; we ask to see it once.

# %% tags=["expect-warning"]
X, y = make_line()
torch.manual_seed(42)
misled = LinearRegressionModel()
sgd = torch.optim.SGD(misled.parameters(), lr=0.1)

with warnings.catch_warnings(action="once"):
    for _ in range(1000):
        loss = nn.MSELoss()(misled(X), y.flatten())
        sgd.zero_grad()
        loss.backward()
        sgd.step()

# %%
weight, bias = misled.weights.item(), misled.bias.item()
result = f"weight {weight:.4f}, bias {bias:.4f}, loss {loss.item():.4f}"
print(result)
print(f"mean of the labels: {y.mean():.4f}")
assert result == "weight 0.0000, bias 0.6430, loss 0.0408"

# %% [markdown]
# It learned the mean of the labels, our weakest baseline, and ignores *x*. No error was
# raised. [`fit`][workflow.fit] raises one, before the first step.
#
# ## Classes, in short
#
# When the label is one of two classes, 0 or 1, the rest of the workflow stays. Here is a set:
# class 1 is whatever lies outside a circle.

# %%
points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
outside = (points.square().sum(dim=1, keepdim=True) > 2.5).float()
ring_train, ring_test = split(points, outside, fractions=(0.75, 0.25))
X_ring, y_ring = ring_test

# %% [markdown]
# The model gives one number a row, any number, called a *logit*: above 0 it means class 1.
# The loss for logits is `nn.BCEWithLogitsLoss`.


# %%
def classify(model, data):
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    fit(model, data, loss_fn=nn.BCEWithLogitsLoss(), optimizer=sgd, epochs=500)
    return model


torch.manual_seed(42)
straight = classify(nn.Linear(2, 1), ring_train)
bent = classify(MLP(2, 16, 1), ring_train)

# %% [markdown]
# [`accuracy`][workflow.accuracy] is the share of right answers. Its baseline is the most
# frequent class of the training data, said every time.

# %%
logits = predict(bent, X_ring)
right = ((logits > 0).float() == y_ring).float().mean().item()
assert abs(accuracy(logits, y_ring) - right) < 1e-6

common = ring_train[1].mean().round()
print(f"always class {int(common)}: {(y_ring == common).float().mean():.2f}")
for name, classifier in [("linear", straight), ("MLP", bent)]:
    print(f"{name}: {accuracy(predict(classifier, X_ring), y_ring):.2f}")
    print(confusion_matrix(predict(classifier, X_ring), y_ring))

# %% [markdown]
# The linear model looks passable until you see the baseline: it is the same number. The
# [`confusion_matrix`][workflow.confusion_matrix] shows why. Its rows are the true classes,
# its columns the predicted ones, and the second column is empty: class 1 was never predicted.
# The MLP found the circle.

# %%
# alt: Two classes of points. A closed, slightly angular area holds the dark circles of class
#   0 and one yellow square; the other squares, class 1, lie around it.
# caption: What the MLP would say at each point, and the test data.
ax = plot_decision_boundary(bent, X_ring, y_ring)

# %% [markdown]
# ### A rare class
#
# Here class 1 is rare, and likelier the larger *x* is. By accuracy, the model is no better than
# always saying 0. Has it learned nothing? Take every pair of one example of class 1 and one of
# class 0: in most of them, class 1 has the higher logit.


# %%
def rare(seed):
    seeded = torch.Generator().manual_seed(seed)
    x = torch.randn(2000, 1, generator=seeded)
    return x, torch.bernoulli(torch.sigmoid(1.3 * x - 3.6), generator=seeded)


alarm = classify(nn.Linear(1, 1), rare(seed=0))
X_rare, y_rare = rare(seed=1)
logits, true = predict(alarm, X_rare), y_rare == 1
ranked = (logits[true].unsqueeze(1) > logits[~true]).float().mean().item()
print(f"always 0: {1 - y_rare.mean():.3f}")
print(f"the model: {accuracy(logits, y_rare):.3f}")
print(f"higher for class 1: {ranked:.2f} of pairs")

# %% [markdown]
# So lower the *threshold*, the logit above which the answer is 1. *Recall* is the share of class
# 1 that is found, *precision* the share of the ones said that are right.

# %%
rates = {}
for threshold in (0, -2, -3):
    said = logits > threshold
    right, found = (said == true).float().mean(), (said & true).sum()
    rates[threshold] = right, found / said.sum(), found / true.sum()
    numbers = "accuracy {:.2f}, precision {:.2f}, recall {:.2f}"
    print(threshold, numbers.format(*rates[threshold]))

# %% [markdown]
# Recall is bought with precision. Which threshold is right depends on what a miss costs and what
# a false alarm. Choose it on validation data.
#
# You can now say how good a model is, and compared with what. Next you [change one thing at a
# time](../experiments/index.md) and find out whether it got better.
#
# ## One run, epoch by epoch
#
# On [the page before](index.md#scrub-the-epochs) you can scrub through the epochs of two runs:
# our line and the MLP that overfits. Their numbers are made here.

# %% tags=["collapse"]
# publish: scrub
# alt: Training and test loss over the epochs 0 to 100. Both fall steeply at first. From about
#   epoch 20 on they fall slowly, the test loss always above the training loss.
# caption: Both losses of the line after each epoch. With JavaScript, a slider shows the line
#   and the weights of any epoch, or those of a network that overfits.
torch.manual_seed(42)
again = LinearRegressionModel()
sgd = torch.optim.SGD(again.parameters(), lr=0.01)
run = {"weight": [], "bias": [], "train": [], "test": []}


def keep(epoch=None):
    now = [again.weights.item(), again.bias.item()]
    now += [evaluate(again, part, loss_fn=loss_fn)["loss"] for part in (train, test)]
    for values, value in zip(run.values(), now, strict=True):
        values.append(round(value, 6))


keep()
fit(again, train, loss_fn=loss_fn, optimizer=sgd, epochs=100, on_epoch=keep)
assert again.weights.item() == model.weights.item()

torch.manual_seed(42)
wavy = MLP(1, (128, 128), 1)
adam = torch.optim.Adam(wavy.parameters(), lr=0.01)
stops = [1, 2, 4, 6, 8, 10, 12, 13, 15, 17, 19, 21]
stops += [24, 28, 35, 43, 60, 90, 130, 180, 250, 330, 400, 500]
grid = torch.linspace(-1, 1, 41).reshape(-1, 1)
parts = {"train": few, "validation": validation}
net = {"epoch": stops, "first": [], "train": [], "validation": [], "predictions": []}
net["shapes"] = {name: list(value.shape) for name, value in wavy.state_dict().items()}


def short(numbers, digits=2):
    return [round(number, digits) for number in numbers.flatten().tolist()]


def keep_some(epoch):
    if epoch.number + 1 in stops:
        net["first"] += short(wavy.layers[0].weight[0], 4)
        net["predictions"].append(short(predict(wavy, grid)))
        for part, data in parts.items():
            net[part].append(round(evaluate(wavy, data, loss_fn=nn.MSELoss())["loss"], 4))


net["data"] = {part: [short(X), short(y)] for part, (X, y) in parts.items()}
fit(wavy, few, loss_fn=nn.MSELoss(), optimizer=adam, epochs=500, on_epoch=keep_some)
assert net["validation"][-1] == round(ends["overfit"][1], 4)

fig, ax = plt.subplots()
ax.plot(run["train"], c="#0072B2", label="training")
ax.plot(run["test"], "--", c="#009E73", label="test")
ax.set(xlabel="epoch", ylabel="loss")
ax.legend()
print(json.dumps(run | {"network": net}))

# %% tags=["collapse"]
# publish: evaluation
known, unknown = split(*make_line(), shuffle=True)
torch.manual_seed(42)
learner = LinearRegressionModel()
sgd = torch.optim.SGD(learner.parameters(), lr=0.01)
fit(learner, known, loss_fn=loss_fn, optimizer=sgd, epochs=100)

numbers = {"once": twice[0].item(), "again": twice[1].item(), "miss": scores["MAE"]}
numbers |= {"spread": y_test.max() - y_test.min(), "ranked": ranked}
numbers |= {"low": ends["overfit"][2], "high": ends["overfit"][1]}
numbers["mean"] = mean_absolute_error(answers["mean"], y_test)
numbers["floor"] = mean_squared_error(truth, y_new)
numbers["shuffled"] = mean_absolute_error(predict(learner, unknown[0]), unknown[1])
numbers["always"] = (y_ring == common).float().mean()
texts = {key: f"{number:.2g}" for key, number in numbers.items()} | {"r2": f"{r2:.2f}"}
for place, count in enumerate(confusion_matrix(predict(straight, X_ring), y_ring).flatten()):
    texts[f"count{place}"] = str(count.item())
for threshold, values in rates.items():
    for name, rate in zip(("accuracy", "precision", "recall"), values, strict=True):
        texts[f"{name}{-threshold}"] = f"{rate:.2f}"
print(json.dumps({key: text.replace("-", "−") for key, text in texts.items()}))

# %% [markdown]
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# For five flats, `guesses` is a column of what a model predicted, and `prices` is what they cost.
# Mend the mean absolute error.

# %% tags=["solution"]
guesses = torch.tensor([[210.0], [180], [340], [150], [295]])
prices = torch.tensor([200.0, 190, 310, 160, 300])
# starter: flats_mae = (guesses - prices).abs().mean().item()
flats_mae = (guesses - prices.unsqueeze(1)).abs().mean().item()

# %% tags=["check"]
misses = guesses.flatten() - prices.flatten()
each = guesses.reshape(5, 1) - prices.reshape(1, 5)


def near(number, right):
    return abs(number - right.item()) < 1e-4


if not isinstance(flats_mae, int | float):
    print("Not yet: flats_mae should be one number, not a", type(flats_mae).__name__)
elif near(flats_mae, misses.abs().mean()):
    print("Right.")
elif near(flats_mae, each.abs().mean()):
    print("Not yet: each of the five is compared with all five.")
elif near(flats_mae, misses.square().mean()):
    print("Not yet: that is the mean of the squares.")
elif near(abs(flats_mae), misses.mean().abs()):
    print("Not yet: misses up and down cancelled.")
else:
    print("Not yet: that isn't the mean of the five misses.")

# %% [markdown] tags=["hint"]
# Print the shape of the difference.

# %% [markdown] tags=["solution"]
# A column minus a flat tensor is a table, here of 25 differences. `unsqueeze(1)` makes the prices a
# column too.

# %% [markdown] tags=["exercise"]
# A model sorts pictures of cats (0), dogs (1) and birds (2), with an accuracy of 0.70. These
# are its test labels. What accuracy does the most frequent class alone reach?

# %% tags=["solution"]
animals = torch.tensor([0] * 21 + [1] * 64 + [2] * 15)
# starter: baseline = 1 / 3
baseline = (animals == animals.mode().values).float().mean().item()

# %% tags=["check"]
most = animals.bincount().max() / len(animals)
if not isinstance(baseline, int | float):
    print("Not yet: baseline should be one number, not a", type(baseline).__name__)
elif near(baseline, most):
    print("Right.")
elif near(baseline, most * len(animals)):
    print("Not yet: that is a count. Which share of all labels is it?")
elif abs(baseline - 1 / 3) < 0.01:
    print("Not yet: that is for guessing at random. Say the same every time.")
else:
    print("Not yet: count each class. What is the share of the largest?")

# %% [markdown] tags=["hint"]
# Suppose that every answer were "dog".

# %% [markdown] tags=["solution"]
# Of 100 labels 64 are dogs. So 0.70 is little more than always saying "dog".

# %% [markdown] tags=["exercise"]
# This trains on a steeper line and reports the last loss of the loop. Report the one that
# counts: of the final weights, on the test data.

# %% tags=["solution"]
steep, steep_test = split(*make_line(weight=-2, bias=5), shuffle=False)
torch.manual_seed(42)
slope = LinearRegressionModel()
sgd = torch.optim.SGD(slope.parameters(), lr=0.1)
curve = fit(slope, steep, loss_fn=nn.L1Loss(), optimizer=sgd, epochs=100)
# starter: reported = curve[-1].train_loss
reported = evaluate(slope, steep_test, loss_fn=nn.L1Loss())["loss"]

# %% tags=["check"]
l1 = nn.L1Loss()
seen = evaluate(slope, steep, loss_fn=l1)["loss"]
counts = evaluate(slope, steep_test, loss_fn=l1)["loss"]
if not isinstance(reported, int | float):
    print("Not yet: reported should be one number, not a", type(reported).__name__)
elif abs(reported - counts) < 1e-6:
    print("Right.")
elif abs(reported - curve[-1].train_loss) < 1e-6:
    print("Not yet: that was measured before the last step, on the training data.")
elif abs(reported - seen) < 1e-6:
    print("Not yet: that is the loss on the training data.")
else:
    print("Not yet: that is not the loss on the ten test points.")

# %% [markdown] tags=["hint"]
# Measure once more, after the loop.

# %% [markdown] tags=["solution"]
# `evaluate` predicts with the weights as they are now, for points that they didn't learn from.

# %% [markdown] tags=["exercise"]
# A network with Dropout has learned the noisy wave. Its MSE on the validation data is another one
# each time. Mend that.

# %% tags=["solution"]
torch.manual_seed(0)
dropper = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1))
adam = torch.optim.Adam(dropper.parameters(), lr=0.01)
fit(dropper, many, loss_fn=nn.MSELoss(), optimizer=adam, epochs=100)
# starter: my_mse = (dropper(validation[0]) - validation[1]).square().mean().item()
dropper.eval()
with torch.inference_mode():
    my_mse = (dropper(validation[0]) - validation[1]).square().mean().item()

# %% tags=["check"]
mse = nn.MSELoss()
seen = evaluate(dropper, many, loss_fn=mse)["loss"]
counts = evaluate(dropper, validation, loss_fn=mse)["loss"]
if not isinstance(my_mse, int | float):
    print("Not yet: my_mse should be one number, not a", type(my_mse).__name__)
elif abs(my_mse - counts) < 1e-6:
    print("Right.")
elif abs(my_mse - seen) < 1e-6:
    print("Not yet: that is the loss on the training data.")
elif dropper.training:
    print("Not yet: your loss is computed in train mode, so it is luck.")
else:
    print("Not yet: that is not the mean squared error of all predictions.")

# %% [markdown] tags=["hint"]
# After `fit` the model is in train mode.

# %% [markdown] tags=["solution"]
# In train mode Dropout loses numbers at random, and the loss is another one each time. Eval mode
# first, then measure.

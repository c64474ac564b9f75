# ---
# description: Work one step out by hand, train the line with five steps, see where it ends.
# given: [0.7, 0.3]
# ---

# %% [markdown]
# # Train the model
#
# About 26 minutes.
#
# [The page before](index.md) explains loss, gradient and the five steps. Here you work one step
# out with a pencil, let PyTorch do the same, write the loop, and watch what it really does.

# %%
import json
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    DivergedError,
    LinearRegressionModel,
    batches,
    fit,
    make_line,
    predict,
    split,
    train_epoch,
    train_step,
)

# %% [markdown]
# The data is the line of [stage 1](../data/index.md), split in order: 40 points to learn from,
# 10 for the test.

# %%
train, test = split(*make_line(0, 1, 0.02), shuffle=False)
X_train, y_train = train
X_test, y_test = test
print(len(X_train), "for training,", len(X_test), "for the test")

# %% [markdown]
# The model is two parameters that start random. The seed belongs right before the model is built:
# that is where the random numbers are drawn. We will start over several times, so this is a
# function. It also makes the *optimizer*: `params` is what it may move, `lr` is how far.


# %%
def fresh(lr=0.01):
    torch.manual_seed(42)
    model = LinearRegressionModel()
    return model, torch.optim.SGD(params=model.parameters(), lr=lr)


def show(model):
    print(f"weight {model.weights.item():.4f}, bias {model.bias.item():.4f}")


model, optimizer = fresh()
show(model)

# %% [markdown]
# So the start is known, and it is random. What isn't known, outside of a lesson, is where to go.
#
# ## How wrong is it?
#
# A *loss function* turns predictions and labels into one number, lower is better. Two for
# predicting numbers: the mean absolute error (MAE) takes the size of each miss, the mean squared
# error (MSE) its square. Both then take the mean.

# %%
with torch.inference_mode():
    miss = model(X_train) - y_train

mae = miss.abs().mean()
mse = miss.square().mean()
print(f"MAE {mae:.5f}, MSE {mse:.5f}")

with torch.inference_mode():
    assert torch.equal(nn.L1Loss()(model(X_train), y_train), mae)
    assert torch.equal(nn.MSELoss()(model(X_train), y_train), mse)

# %% [markdown]
# `nn.L1Loss` is the MAE. The MSE is sometimes called "the L2 loss", but it isn't the L2 norm, which
# adds up the squares and takes the root of the sum.

# %%
print(f"L2 norm {torch.linalg.vector_norm(miss):.5f}")

# %% [markdown]
# For yes or no, the loss is the binary cross-entropy: minus the logarithm of the probability that
# the model gave to the right answer. Models end in *logits*, which are any numbers; `sigmoid` makes
# probabilities of them. `BCELoss` wants the probabilities, `BCEWithLogitsLoss` the logits.

# %%
logit, yes = torch.tensor([2.0]), torch.tensor([1.0])
probability = torch.sigmoid(logit)
by_hand = -math.log(probability.item())
print(f"probability {probability.item():.4f}, loss {by_hand:.4f}")

assert math.isclose(nn.BCELoss()(probability, yes).item(), by_hand, rel_tol=1e-6)
assert math.isclose(nn.BCEWithLogitsLoss()(logit, yes).item(), by_hand, rel_tol=1e-6)

# %% [markdown]
# With more than two classes it is `CrossEntropyLoss`. It takes one logit a class, makes
# probabilities of them with `softmax` (`dim=1`: along each row), and looks at the right class,
# here number 2.

# %%
logits, right = torch.tensor([[0.5, 1.0, 3.0]]), torch.tensor([2])
by_hand = -torch.log(torch.softmax(logits, dim=1)[0, 2])
print(f"loss {by_hand:.4f}")
assert torch.isclose(nn.CrossEntropyLoss()(logits, right), by_hand)

# %% [markdown]
# ## One point, by hand
#
# Take a single point of the line, $x = 0.5$ and $y = 0.65$, a weight $w = 0.3$ and a bias
# $b = 0.1$, and the squared error. First forward, from the input to the loss:
#
# $\hat y = w x + b = 0.3 \cdot 0.5 + 0.1 = 0.25$
#
# $e = \hat y - y = 0.25 - 0.65 = -0.4$
#
# $L = e^2 = 0.16$
#
# Which way should $w$ and $b$ go? The *gradient* says how fast the loss changes with each. The
# calculation is a chain, so go backwards along it and multiply: this is the chain rule, and doing
# it is *backpropagation*.
#
# First the prediction. Why is the slope of $e^2$ just $2 e$? Move $e$ by a small $h$: the square
# becomes $(e + h)^2 = e^2 + 2 e h + h^2$. The last term is next to nothing if $h$ is small enough,
# so the loss grows by $2 e$ for each unit of $h$.
#
# $$\frac{dL}{d\hat y} = 2 e = 2 \cdot (-0.4) = -0.8$$
#
# Then the weight. The prediction changes by $x = 0.5$ for each unit of it, so multiply:
#
# $$\frac{dL}{dw} = \frac{dL}{d\hat y} \cdot \frac{d\hat y}{dw} = -0.8 \cdot 0.5$$
#
# That is $-0.4$. Last the bias. The prediction changes by 1 for each unit of it:
#
# $$\frac{dL}{db} = \frac{dL}{d\hat y} \cdot \frac{d\hat y}{db} = -0.8 \cdot 1$$
#
# That is $-0.8$. Both are negative: more weight or more bias means less loss. *Gradient descent*
# steps against the gradient, as far as the learning rate says. With a rate of 0.1 that makes
#
# $w = 0.3 - 0.1 \cdot (-0.4) = 0.34$ and $b = 0.1 - 0.1 \cdot (-0.8) = 0.18$.
#
# Here is the same as code.

# %%
x, y, w, b, lr = 0.5, 0.65, 0.3, 0.1, 0.1

y_hat = w * x + b  # forward
error = y_hat - y
loss_before = error**2

slope = 2 * error  # backward
w_grad, b_grad = slope * x, slope * 1

w_new, b_new = w - lr * w_grad, b - lr * b_grad  # downhill
loss_after = (w_new * x + b_new - y) ** 2

print(f"prediction {y_hat:.2f}, error {error:.2f}")
print(f"gradients {w_grad:.2f} and {b_grad:.2f}")
print(f"weight {w_new:.2f}, bias {b_new:.2f}")
print(f"loss {loss_before:.2f} before, {loss_after:.2f} after")

# %% [markdown]
# One step took the loss from 0.16 to 0.09.
#
# ### The same by autograd
#
# PyTorch's *autograd* notes each calculation on its way forward. `backward()` goes back along the
# notes and puts a gradient into `.grad` of each parameter. `step()` then moves them. The parameters
# are float64 here, the kind of number that Python itself uses.

# %%
w_auto = nn.Parameter(torch.tensor(w, dtype=torch.float64))
b_auto = nn.Parameter(torch.tensor(b, dtype=torch.float64))
one_point = torch.optim.SGD([w_auto, b_auto], lr=lr)

loss = (w_auto * x + b_auto - y) ** 2
loss.backward()
assert (w_auto.grad.item(), b_auto.grad.item()) == (w_grad, b_grad)

one_point.step()
assert (w_auto.item(), b_auto.item()) == (w_new, b_new)

# %% [markdown]
# Not nearly equal: equal. The optimizer updated the parameters, by performing gradient descent.
#
# ### Gradients add up
#
# A second `backward()` doesn't replace the gradient. It adds to it. That is why the old one must be
# cleared. `zero_grad()` sets `.grad` to `None`, which means "no gradient yet".

# %%
loss = (w_auto * x + b_auto - y) ** 2
first = w_auto.grad.item()
loss.backward()
both = w_auto.grad.item()
print(f"first {first:.2f}, after the second {both:.2f}")

one_point.zero_grad()
print("after zero_grad:", w_auto.grad)

# %% [markdown]
# ## The loop
#
# Now all 40 points and 100 *epochs*; an epoch is one pass over the training data. The first part
# of the loop learns from the training data, the second looks at the test data without learning. We
# keep all losses and print every tenth, ten lines in all.

# %%
model, optimizer = fresh()
loss_fn = nn.L1Loss()
train_losses, test_losses = [], []

for epoch in range(100):
    model.train()
    y_pred = model(X_train)  # 1. forward pass
    loss = loss_fn(y_pred, y_train)  # 2. how wrong?
    optimizer.zero_grad()  # 3. clear old gradients
    loss.backward()  # 4. backpropagation
    optimizer.step()  # 5. gradient descent

    model.eval()
    with torch.inference_mode():
        test_pred = model(X_test)
        test_loss = loss_fn(test_pred, y_test)

    train_losses.append(loss.item())
    test_losses.append(test_loss.item())
    if epoch % 10 == 0:
        print(f"epoch {epoch:2}: train {loss:.5f}, test {test_loss:.5f}")

show(model)

# %% [markdown]
# Both losses fell, and the two parameters are on their way to 0.7 and 0.3. All points go through
# the model at once, so the loop goes over epochs, not over the data. That is *full-batch* gradient
# descent; the S of `SGD`, for stochastic, means random batches, and there are none here.
#
# The labels are `float32` like the predictions, so nothing has to be cast. These are the numbers
# you should see too:

# %%
for epoch, expected in [(0, 0.31288), (50, 0.04168), (90, 0.02789)]:
    assert round(train_losses[epoch], 5) == expected
for epoch, expected in [(0, 0.48107), (50, 0.09920), (90, 0.06474)]:
    assert round(test_losses[epoch], 5) == expected

# Both fell in every epoch.
for losses in (train_losses, test_losses):
    assert losses == sorted(losses, reverse=True)

# %% [markdown]
# ### Loss curves
#
# A hundred numbers are easier to look at than to read. Every fifth will do for the eye.

# %%
# alt: Two falling curves over the epochs. The training loss, a solid blue line, falls steeply until
#   about epoch 25, to a fifth of what it was, and then slowly. The test loss, dashed green, runs
#   above it all the way.
# caption: Both losses fall, fast at first, then slowly.
fig, ax = plt.subplots()
epochs = range(0, 100, 5)
ax.plot(epochs, train_losses[::5], c="#0072B2", label="training loss")
ax.plot(epochs, test_losses[::5], "--", c="#009E73", label="test loss")
ax.set(xlabel="epoch", ylabel="loss")
ax.legend()

# %% [markdown]
# The bend comes where the model's line first meets the points. Until then all the misses have one
# sign and weight and bias both climb. Afterwards some points lie above the line and some below, and
# most of their pulls cancel.
#
# ### Before the step, after the step
#
# The two numbers on one printed line belong to two different models: the training loss is measured
# *before* the step, the test loss *after* it. That of the final parameters was never printed.


# %%
def loss_now(model):
    with torch.inference_mode():
        return loss_fn(model(X_train), y_train).item()


print(f"training loss of epoch 99:         {train_losses[-1]:.5f}")
print(f"training loss of the final model:  {loss_now(model):.5f}")

# %% [markdown]
# ## The same, packaged
#
# [`train_step`][workflow.train_step] is the five lines. [`train_epoch`][workflow.train_epoch] does
# a step for each batch. [`fit`][workflow.fit] does the epochs and the testing, and returns a record
# of each. Here are three new models, trained by the three of them.

# %%
stepped, optimizer = fresh()
steps = []
for _ in range(100):
    loss = train_step(stepped, X_train, y_train, loss_fn=loss_fn, optimizer=optimizer)
    steps.append(loss.item())

passed, optimizer = fresh()
passes = []
for _ in range(100):
    passes.append(train_epoch(passed, train, loss_fn=loss_fn, optimizer=optimizer))

fitted, optimizer = fresh()
history = fit(fitted, train, test, loss_fn=loss_fn, optimizer=optimizer, epochs=100)

assert steps == passes == train_losses
assert [epoch.train_loss for epoch in history] == train_losses
assert [epoch.validation_loss for epoch in history] == test_losses
for other in (stepped, passed, fitted):
    assert torch.equal(other.weights, model.weights)
    assert torch.equal(other.bias, model.bias)

# %% [markdown]
# Not one bit of difference. `fit` calls its second data set validation data, because that is what
# one usually watches. We handed it the test data, and may: we only look, and choose nothing by it.
# ([`plot_history`][workflow.plot_history] draws the records, as above.)

# %% [markdown]
# ### Where the seed belongs
#
# You often see `torch.manual_seed` right before the loop. Nothing random happens in this loop, so
# it changes nothing there.

# %%
for seed in (0, 1):
    model, optimizer = fresh()
    torch.manual_seed(seed)  # too late: the model is built
    again = fit(model, train, test, loss_fn=loss_fn, optimizer=optimizer, epochs=100)
    assert again == history

# %% [markdown]
# ## Clearing the gradients
#
# Where does `zero_grad` go? It has to happen between one `step` and the next `backward`, and both
# ends of that stretch will do: right before `backward`, or right after `step`. Leaving it out
# won't do.


# %%
def train_clearing(when):
    model, optimizer = fresh()
    losses, slopes = [], []
    for _ in range(100):
        loss = loss_fn(model(X_train), y_train)
        if when == "before backward":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        slopes.append(model.bias.grad.item())
        if when == "after step":
            optimizer.zero_grad()
    return losses, slopes


cleared, slopes = train_clearing("before backward")
assert cleared == train_losses
assert train_clearing("after step") == (cleared, slopes)

never, piled_up = train_clearing("never")
print(f"never cleared: {never[50]:.3f} at epoch 50, {never[99]:.3f} at epoch 99")

# %%
# alt: Training loss over 100 epochs without zero_grad. It swings down and up like a pendulum, from
#   where it began to near zero, and is high up at the end.
# caption: Without zero_grad.
fig, ax = plt.subplots()
ax.plot(range(0, 100, 2), never[::2], c="#0072B2")
ax.set(xlabel="epoch", ylabel="training loss")

# %% [markdown]
# It swings like a pendulum. Each step is pushed by all the old gradients as well, so the parameters
# run past the goal until enough gradients of the other sign have come in, and then run back.
#
# ### In any order
#
# On [the page before](index.md#one-step-at-a-time) the five lines are buttons that you press in
# any order. Where Python stops there, its messages are those that are caught here.


# %% tags=["collapse"]
# publish: step
# alt: The gradient of the bias over 41 epochs. Cleared each time, a solid blue line, it stays at -1
#   for a while and then climbs to about zero. Never cleared, a dotted grey line, it swings down and
#   up, seven times as far to either side.
# caption: The gradient of the bias, cleared in each epoch and never. With JavaScript, the lines of
#   the loop are buttons, to be pressed in order, in another order, or not at all.
def message(line, **names):
    try:
        exec(line, names)  # which knows no other names
    except (NameError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}".split(" (")[0]


fig, ax = plt.subplots()
ax.plot(slopes[:41], c="#0072B2", label="cleared")
ax.plot(piled_up[:41], ":", c="gray", label="never cleared")
ax.set(xlabel="epoch", ylabel="bias.grad")
ax.legend()

model, _ = fresh()
loss = loss_fn(model(X_train), y_train)
loss.backward()
errors = {
    "y_pred": message("loss_fn(y_pred, y_train)", loss_fn=loss_fn),
    "loss": message("loss.backward()"),
    "twice": message("loss.backward()", loss=loss),
}
begin = {"weights": round(model.weights.item(), 6), "bias": round(model.bias.item(), 6)}
print(json.dumps({**begin, "errors": errors}))

# %% [markdown]
# ## What train() and eval() do
#
# They set a switch, `model.training`. Some layers read it. `Dropout` is one: in train mode it
# replaces random numbers by 0 and enlarges the others, in eval mode it lets all pass. (`BatchNorm`
# is another: it measures the batch in train mode only.)

# %%
dropout = nn.Dropout(0.5)
torch.manual_seed(3)
dropout.train()
print("train:", dropout(torch.ones(6)))
dropout.eval()
print("eval: ", dropout(torch.ones(6)))

# %% [markdown]
# Our line has no such layer, so the switch changes nothing for it. Neither method touches
# gradients. A parameter that was frozen stays frozen in train mode, and in eval mode `backward`
# works as ever.

# %%
model, _ = fresh()
model.weights.requires_grad = False  # frozen
model.train()
print("frozen weight requires a gradient:", model.weights.requires_grad)

model.eval()
loss_fn(model(X_train), y_train).backward()
print("gradient of the bias, in eval mode:", model.bias.grad)

# %% [markdown]
# ## Train longer
#
# The loss was still falling after 100 epochs. What do 200 and 300 bring?

# %%
for epochs in (100, 200, 300):
    model, optimizer = fresh()
    longer = fit(model, train, loss_fn=loss_fn, optimizer=optimizer, epochs=epochs)
    print(f"after {epochs}: ", end="")
    show(model)
    if epochs == 200:
        after_200 = model

assert torch.equal(after_200.weights, model.weights)
assert torch.equal(after_200.bias, model.bias)

# %% [markdown]
# The second hundred helped. The third brought exactly nothing. Printing every hundredth loss
# suggests that training has come to rest:

# %%
losses = [epoch.train_loss for epoch in longer]
print(f"epoch 199: {losses[199]:.5f}, epoch 299: {losses[299]:.5f}")

# %% [markdown]
# It hasn't. Look at each epoch, from 166 on:

# %%
for epoch in range(166, 174):
    print(f"epoch {epoch}: {losses[epoch]:.5f}")

best = min(range(300), key=lambda epoch: losses[epoch])
print("lowest at epoch", best)
assert losses[168] != losses[170]
assert all(losses[epoch] == losses[epoch + 2] for epoch in range(169, 298))

train_step(model, X_train, y_train, loss_fn=loss_fn, optimizer=optimizer)
print("one step more: ", end="")
show(model)

# %% [markdown]
# ### Forty pulls
#
# Two losses take turns from there on. This is a *2-cycle*; [the page
# before](index.md#what-the-loss-does-over-time) says how it comes about. Here are the forty pulls
# that it speaks of: the slope of each point's absolute error, $-1$ where the model's line lies
# below the point and $+1$ where it lies above, and the length of their mean, the gradient.

# %%
# alt: Above, one row a point, one column an epoch; pale where the point pulls the line up, dark if
#   it pulls down. At first all is pale; then dark enters from below and fills half of the rows; in
#   the end whole columns take turns. Below, the length of the gradient: high, then level at less
#   than a fifth, and in the end as high as at first.
# caption: Forty pulls, and the length of their mean. Where it is short, most of the pulls
#   cancel out.
model, optimizer = fresh()
pulls, lengths = [], []
for _ in range(200):
    y_pred = model(X_train)
    optimizer.zero_grad()
    loss_fn(y_pred, y_train).backward()
    pulls.append((y_pred - y_train).detach().sign().flatten())
    lengths.append(math.hypot(model.weights.grad.item(), model.bias.grad.item()))
    optimizer.step()

fig, (above, below) = plt.subplots(2, 1, figsize=(5, 4), sharex=True)
rows = torch.stack(pulls, dim=1).numpy()
tones = {"cmap": "gray_r", "vmin": -2.5, "vmax": 3}
above.imshow(rows, aspect="auto", interpolation="none", origin="lower", **tones)
above.set(ylabel="point", yticks=[0, 39])
below.plot(lengths, c="gray")
below.set(xlabel="epoch", ylabel="length", ylim=(0, 1.2), yticks=[0, 1])

# %% [markdown]
# ### A rate that falls
#
# One cure is to make the steps shorter over time. A *scheduler* changes the learning rate after
# each epoch. This one lets it fall from 0.01 to 0 over 400 epochs, along half a cosine wave.

# %%
model, optimizer = fresh()
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=400)
rates = []
for _ in range(400):
    rates.append(optimizer.param_groups[0]["lr"])
    train_step(model, X_train, y_train, loss_fn=loss_fn, optimizer=optimizer)
    cosine.step()  # after optimizer.step()

print(f"rates {rates[0]:.4f}, {rates[200]:.4f}, {rates[399]:.7f}")
print(f"loss at the end {loss_now(model):.6f}")
show(model)

packaged, optimizer = fresh()
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=400)
falling = fit(
    packaged,
    train,
    loss_fn=loss_fn,
    optimizer=optimizer,
    epochs=400,
    scheduler=cosine,
)
assert [epoch.lr for epoch in falling] == rates
assert torch.equal(packaged.weights, model.weights)

# %% [markdown]
# ## Too low, too high
#
# The same 100 epochs with five learning rates:

# %%
for lr in (0.0001, 0.001, 0.01, 0.1, 1):
    model, optimizer = fresh(lr)
    fit(model, train, loss_fn=loss_fn, optimizer=optimizer, epochs=100)
    print(f"lr {lr:<6}: loss {loss_now(model):.3f}")

# %% [markdown]
# Too low, and 100 epochs aren't enough. Too high, and each step overshoots; with 1, every second
# loss is the one where it began. With the absolute error our line bounces and never blows up, as
# its gradient is bounded. (With two layers, each multiplied by the other, it can.) The slope of the
# *squared* error grows with the miss: a step too far makes a larger miss, and that a larger step.

# %%
squared = nn.MSELoss()
model, optimizer = fresh(lr=10)
for _ in range(5):
    loss = train_step(model, X_train, y_train, loss_fn=squared, optimizer=optimizer)
    print(f"{loss:.2f}")

# %% [markdown]
# This is called divergence. It goes on until the numbers no longer fit into float32. There `fit`
# stops, and says what to try.

# %%
model, optimizer = fresh(lr=10)
try:
    fit(model, train, loss_fn=squared, optimizer=optimizer, epochs=100)
except DivergedError as error:
    print(error)

# %% [markdown]
# For a line, the squared error and full batches, an exact limit lies between "good" and "blown up".
# The *Hessian* is a table of how strongly the surface of the loss bends in each direction, and its
# largest *eigenvalue* is how strongly it bends where it does so most. Above 1 divided by that,
# steps go too far and come back; above 2 divided by it, each lands further off than the last. (With
# batches, or in a network, where the surface bends differently in each place, that is only a
# guide.) [Stage 5](../experiments/tutorial.py) works it out step by step. On [the page
# before](index.md#the-loss-surface) you can walk across that surface, on both sides of the limit;
# this is where the page's numbers and picture come from.

# %% tags=["collapse"]
# publish: surface
# alt: Contours of the squared error over weight and bias: long ellipses, tilted from the upper left
#   to the lower right, around the minimum at weight 0.7, bias 0.3. From weight 0.34, bias 0.13, a
#   red path with crosses zigzags across the long valley, each time a little nearer to its floor.
# caption: Gradient descent on the squared error, with a learning rate just below the limit. With
#   JavaScript, you choose the rate, the loss, the optimizer and the start.
columns = torch.cat([X_train, torch.ones_like(X_train)], dim=1).double()
hessian = 2 / len(columns) * columns.T @ columns
largest = torch.linalg.eigvalsh(hessian).max().item()

walker, optimizer = fresh(lr=0.8)
way = [(walker.weights.item(), walker.bias.item())]
for _ in range(8):
    train_step(walker, X_train, y_train, loss_fn=squared, optimizer=optimizer)
    way.append((walker.weights.item(), walker.bias.item()))

weight_axis, bias_axis = torch.linspace(0.1, 1.3, 25), torch.linspace(-0.1, 0.7, 25)
across, up = torch.meshgrid(weight_axis, bias_axis, indexing="xy")
heights = (across * X_train[:, :, None] + up - y_train[:, :, None]).square().mean(dim=0)
fig, ax = plt.subplots()
ax.contour(across, up, heights, levels=[0.005, 0.02, 0.05, 0.1, 0.2], colors="0.5")
ax.plot(*zip(*way, strict=True), "x-", c="#D55E00")
ax.plot(0.7, 0.3, "+", c="black", ms=12)
ax.set(xlabel="weight", ylabel="bias")
start_at = dict(zip(["weight", "bias"], way[0], strict=True))
print(json.dumps({"largest": round(largest, 7)} | {k: round(v, 7) for k, v in start_at.items()}))

# %% [markdown]
# ## In batches
#
# With [batches][workflow.batches] there is a step for each batch, so an epoch has several losses.
# Which number stands for the epoch? The last of these batches has only 8 points.

# %%
sixteen = batches(X_train, y_train, batch_size=16)
model, optimizer = fresh()
means, sizes = [], []
for X_batch, y_batch in sixteen:
    loss = train_step(model, X_batch, y_batch, loss_fn=loss_fn, optimizer=optimizer)
    means.append(loss.item())
    sizes.append(len(X_batch))

total = sum(mean * size for mean, size in zip(means, sizes, strict=True))
weighted = total / sum(sizes)
print("sizes", sizes)
print(f"mean of the means {sum(means) / len(means):.5f}")
print(f"mean over points  {weighted:.5f}")

# %% [markdown]
# An average of averages lets each point of the short batch count double. `train_epoch` weights each
# mean by its number of points.

# %%
model, optimizer = fresh()
assert train_epoch(model, sixteen, loss_fn=loss_fn, optimizer=optimizer) == weighted

# %% [markdown]
# ### The S of SGD
#
# Usually each epoch cuts the points into batches anew. A batch's gradient is right on average and a
# little off each time: that is what is *stochastic*. Here are forty points with noise, and the
# squared error. One model takes a step an epoch, by all points; the other five, by eight each.

# %%
# alt: Left, weight and bias as a map. The way of the full batch is smooth: long steps, then short
#   ones towards a cross. The way of the batches, blue, shakes and gets further. Right, the loss. By
#   step, a thin blue line jumps up and down; by epoch, a thick one falls unevenly, from epoch 2
#   on below that of the full batch.
# caption: Batches of eight, blue, beside the full batch. Left the way to the lowest loss, a cross;
#   right the loss, by step (thin) and by epoch (thick).
noisy = make_line(0, 0.8, 0.02, noise=0.1)


def walk(data):
    model, optimizer = fresh(lr=0.4)
    way, losses = [], []
    for _ in range(8):
        for X_batch, y_batch in data:
            way.append((model.weights.item(), model.bias.item()))
            loss = train_step(model, X_batch, y_batch, loss_fn=squared, optimizer=optimizer)
            losses.append(loss.item())
    return model, way, losses


_, smooth, falling = walk([noisy])
_, shaky, jumping = walk(batches(*noisy, batch_size=8, shuffle=True, seed=0))

columns = torch.cat([noisy[0], torch.ones_like(noisy[0])], dim=1)
lowest = torch.linalg.lstsq(columns, noisy[1]).solution

fig, (left, right) = plt.subplots(1, 2, figsize=(6, 2.8), layout="constrained")
left.plot(*zip(*shaky, strict=True), c="#0072B2", lw=0.8)
left.plot(*zip(*smooth, strict=True), c="black")
left.plot(*lowest, "+", c="black", ms=12)
left.set(xlabel="weight", ylabel="bias", xticks=[0.4, 0.6, 0.8], yticks=[0.1, 0.3, 0.5])
right.plot(torch.arange(40) / 5, jumping, c="#0072B2", lw=0.8)
by_epoch = torch.tensor(jumping).reshape(8, 5).mean(dim=1)
right.plot(torch.arange(8) + 0.4, by_epoch, c="#0072B2")
right.plot(falling, c="black")
right.set(xlabel="epoch", ylabel="loss", ylim=(0, 0.04), xticks=[0, 4, 8])
right.set_yticks([0, 0.02, 0.04])

# %% [markdown]
# Is that the luck of one shuffle? Here is the loss on all forty points at the end, for eight.


# %%
def loss_after(data):
    return squared(predict(walk(data)[0], noisy[0]), noisy[1])


mixed = [batches(*noisy, batch_size=8, shuffle=True, seed=seed) for seed in range(8)]
ends = torch.stack([loss_after(data) for data in mixed])
print(f"full batch {loss_after([noisy]):.4f}")
print(f"batches    {ends.mean():.4f}, standard error {ends.std() / 8**0.5:.4f}")

# %% [markdown]
# Five steps an epoch get further than one, each from a fifth of the points. They don't come to
# rest, though, as every batch has a lowest place of its own. Larger batches shake less, and a rate
# that falls calms them. The loss of a step jumps with its batch, so loss curves are drawn by epoch.


# %% tags=["collapse"]
# publish: training
# Numbers for the page before.
def trained(epochs, lr=0.01, error=loss_fn):
    model, optimizer = fresh(lr)
    fit(model, train, loss_fn=error, optimizer=optimizer, epochs=epochs)
    return model


def bias_gradient(mode):
    model, _ = fresh()
    loss_fn(model.train(mode)(X_train), y_train).backward()
    return model.bias.grad.item()


start, _ = fresh()
wild = y_train.clone()
wild[20] *= 10  # a label with its point in the wrong place
guess = predict(start, X_train)
numbers = {
    "mae": loss_fn(guess, wild) / loss_fn(guess, y_train),
    "mse": squared(guess, wild) / squared(guess, y_train),
    "prediction": y_hat,
    "loss": loss_before,
    "slope": slope,
    "w_slope": w_grad,
    "b_slope": b_grad,
    **{f"never_{epoch}": never[epoch] for epoch in (20, 50, 99)},
    "slope_train": bias_gradient(True),
    "slope_eval": bias_gradient(False),
    "start": loss_now(start),
    **{f"lr_{power}": loss_now(trained(100, 10.0**-power)) for power in range(5)},
    "odd": loss_now(trained(101, 1)),
    "low": losses[299],
    "high": losses[298],
    **{f"length_{epoch}": lengths[epoch] for epoch in (0, 50)},
}
shown = {name: f"{float(number):.3g}".replace("-", "−") for name, number in numbers.items()}
for epochs in (0, 100, 200, 300):
    for name, parameter in trained(epochs).named_parameters():
        shown[f"{name}_{epochs}"] = f"{parameter.item():.4f}"
shown["cosine"] = f"{loss_now(packaged):.6f}"
shown["blown"] = f"{squared(predict(trained(100, 1, squared), X_train), y_train):.2g}"
print(json.dumps(shown | {"best": best, "cycle": best + 1}))

# %% [markdown]
# You have now written the loop that all of PyTorch training is made of, and seen it fail in three
# ways: not cleared, not settled, blown up. How good the trained model is, is the question of
# [the next stage](../evaluation/index.md).
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# Another point: $x = 2$, $y = 1$, with $w = 1$, $b = 0.5$ and the squared error. Work out both
# gradients with a pencil.

# %% tags=["solution"]
# starter: my_w_grad = 0.0
# starter: my_b_grad = 0.0
my_error = 1 * 2 + 0.5 - 1  # prediction minus label
my_b_grad = 2 * my_error
my_w_grad = 2 * my_b_grad  # times x

# %% tags=["check"]
w_check, b_check = torch.tensor(1.0), torch.tensor(0.5)
w_check.requires_grad = b_check.requires_grad = True
(w_check * 2 + b_check - 1).square().backward()
w_right, b_right = w_check.grad.item(), b_check.grad.item()
if my_b_grad == b_right / 2:
    print("Not yet: that is the error itself. Its square has twice that slope.")
elif my_b_grad == -b_right:
    print("Not yet: the error is prediction minus label, not the reverse.")
elif my_b_grad != b_right:
    print("Not yet: begin with the bias. It isn't", my_b_grad)
elif my_w_grad == my_b_grad:
    print("Not yet: b is right. One unit of w moves the prediction by x.")
elif my_w_grad != w_right:
    print("Not yet: b is right, w isn't.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# First the prediction, then the error, then twice the error. What is left is a factor for each.

# %% [markdown] tags=["solution"]
# Twice the error is 3: that is for the bias. Times x it is 6, for the weight.

# %% [markdown] tags=["exercise"]
# Three batches of 32, 32 and 6 examples had these mean losses. Compute the mean loss over all 70
# examples.

# %% tags=["solution"]
batch_sizes, batch_losses = [32, 32, 6], [0.2, 0.3, 0.9]
# starter: mean_loss = sum(batch_losses) / 3
pairs = zip(batch_sizes, batch_losses, strict=True)
mean_loss = sum(size * loss for size, loss in pairs) / sum(batch_sizes)

# %% tags=["check"]
each = torch.tensor(batch_losses).repeat_interleave(torch.tensor(batch_sizes))
if not isinstance(mean_loss, (int, float, torch.Tensor)):
    print("Not yet: one number, please. This is", mean_loss)
elif math.isclose(mean_loss, each.mean(), abs_tol=1e-3):
    print("Right.")
elif math.isclose(mean_loss, sum(batch_losses) / 3, abs_tol=1e-3):
    print(f"Not yet: {mean_loss:.3f} lets six examples count as much as 32.")
else:
    print(f"Not yet: {mean_loss:.3f} isn't the mean of 70 losses.")

# %% [markdown] tags=["hint"]
# If the mean of 32 losses is 0.2, what is their sum?

# %% [markdown] tags=["solution"]
# Times its size, a mean is a sum again. The sum of the sums, divided by 70, is the mean of all.

# %% [markdown] tags=["exercise"]
# Here is another line, with negative slope, and a loop that doesn't learn. Three of the five steps
# are missing. Put them in.

# %% tags=["solution"]
X_down, y_down = make_line(-1, 1, 0.1, weight=-2, bias=5)
mine, optimizer = fresh(lr=0.1)
for _ in range(200):
    y_pred = mine(X_down)
    loss = nn.MSELoss()(y_pred, y_down)
    # starter: # Three lines here.
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% tags=["check"]
start, _ = fresh()
right, optimizer = fresh(lr=0.1)
fit(right, (X_down, y_down), epochs=200, loss_fn=nn.MSELoss(), optimizer=optimizer)
gap = max(abs(mine.weights.item() + 2), abs(mine.bias.item() - 5))
if torch.equal(mine.weights, right.weights) and torch.equal(mine.bias, right.bias):
    print("Right.")
elif gap < 0.01:
    print("Not yet: it came near, but by gradients of the round before. Step comes last.")
elif not torch.equal(mine.weights, start.weights):
    print(f"Not yet: still {gap:.2g} off. In each round: clear, go back from the loss, step.")
elif mine.weights.grad is None:
    print("Not yet: step finds no gradients. What makes them, what clears them?")
else:
    print("Not yet: there are gradients, but nothing moves the parameters.")

# %% [markdown] tags=["hint"]
# Clear, compute, move.

# %% [markdown] tags=["solution"]
# `backward` adds to what is in `.grad`, so it has to be empty before; `step` reads it, so it has to
# be full then.

# %% [markdown] tags=["exercise"]
# A cup of coffee cools. With this learning rate, a straight line through the measurements never
# comes near. Find one with which 200 epochs are enough.

# %% tags=["solution"]
tens = torch.arange(0, 3.5, 0.5).unsqueeze(1)  # tens of minutes
degrees = torch.tensor([[85.0], [74], [65], [58], [52], [47], [43]])
# starter: my_lr = 1.0
my_lr = 0.1

# %% tags=["check"]
columns = torch.cat([tens, torch.ones_like(tens)], dim=1)
limit = 2 / torch.linalg.eigvalsh(2 / 7 * columns.T @ columns).max()
usable = isinstance(my_lr, (int, float)) and my_lr > 0
torch.manual_seed(42)
cup, squared = nn.Linear(1, 1), nn.MSELoss()
sgd = torch.optim.SGD(cup.parameters(), lr=my_lr if usable else 1)
try:
    last = fit(cup, (tens, degrees), epochs=200, loss_fn=squared, optimizer=sgd)[-1].train_loss
except DivergedError:
    last = math.inf
best = squared(columns @ torch.linalg.lstsq(columns, degrees).solution, degrees)
if not usable:
    print("Not yet: a number above zero, please. This is", my_lr)
elif last < 1.05 * best:
    print("Right.")
elif my_lr > limit:
    print("Not yet: too high. Each step lands further off than the last.")
elif my_lr > limit / 2:
    print("Not yet: a little too high. Each step goes too far, and nearly as far back.")
else:
    print(f"Not yet: too low. The loss is {last:.0f} and still falling.")

# %% [markdown] tags=["hint"]
# Divide by 10 until it stops blowing up.

# %% [markdown] tags=["solution"]
# The largest eigenvalue is 8 for these seven points. So above 1/8 the steps go too far and come
# back, and above 2/8 each lands further off than the last. Far below, 200 steps are too few.

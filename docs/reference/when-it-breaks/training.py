# ---
# description: Losses that rise, stand still or turn to nan, and the line that was wrong.
# ---

# %% [markdown]
# # When training breaks
#
# [All failures](index.md). Here nothing is raised: the loop runs, and learns wrong. The subject
# itself is taught in [Training](../../training/index.md).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import LinearRegressionModel, batches, fit, make_line, split, train_step

train, test = split(*make_line(), shuffle=False)
X, y = train
L1, MSE = nn.L1Loss(), nn.MSELoss()


def start(lr=0.01):
    """Give the same model each time, and its optimizer."""
    torch.manual_seed(42)
    model = LinearRegressionModel()
    return model, torch.optim.SGD(model.parameters(), lr=lr)


def show(losses):
    print(", ".join(f"{loss:.5f}" for loss in losses))


# %% [markdown]
# ## The loss falls, then rises again: `zero_grad` is missing

# %%
# alt: The training loss over 100 epochs. It falls to nearly nothing, rises again almost to where
#   it began, and so on, seven times.
# caption: A loss that swings.
model, optimizer = start()
piled_up = []
for _ in range(100):
    loss = L1(model(X), y)
    loss.backward()
    optimizer.step()
    piled_up.append(loss.item())
plt.plot(piled_up)
plt.xlabel("epoch")
plt.ylabel("training loss")

# %% [markdown]
# **Recognise it.** Down, up, down, with an even beat.
#
# **Why.** `backward` *adds* to `.grad`. Without `zero_grad`, each step also goes where all the
# earlier ones went, past the goal.
#
# **Cure.** `zero_grad` before `backward`.

# %%
model, optimizer = start()
cleared = []
for _ in range(100):
    loss = L1(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    cleared.append(loss.item())
print(f"last loss {piled_up[-1]:.3f} without, {cleared[-1]:.3f} with zero_grad")

# %% [markdown]
# **With `workflow`.** `fit` has the line, and comes to the same losses.

# %%
model, optimizer = start()
history = fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=100)
assert [epoch.train_loss for epoch in history] == cleared

# %% [markdown]
# ## The loss doesn't move: `backward` is missing

# %%
model, optimizer = start()
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    optimizer.zero_grad()
    optimizer.step()
    losses.append(loss.item())
show(losses)
print("gradient:", model.weights.grad)

# %% [markdown]
# **Recognise it.** The same loss to the last digit, and every `.grad` is `None`.
#
# **Why.** Without `backward` there are no gradients, and `step` passes over parameters that have
# none.
#
# **Cure.** `loss.backward()` before `step`.

# %%
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
show(losses)

# %% [markdown]
# **With `workflow`.** `train_step` is these five lines; none can be missing.

# %%
model, optimizer = start()
show(train_step(model, X, y, loss_fn=L1, optimizer=optimizer) for _ in range(4))

# %% [markdown]
# ## The loss doesn't move: `step` is missing

# %%
model, optimizer = start()
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    losses.append(loss.item())
show(losses)
print("gradient:", model.weights.grad)

# %% [markdown]
# **Recognise it.** The same loss to the last digit, but there are gradients.
#
# **Why.** `backward` only measures the slope. It is `step` that moves the parameters.
#
# **Cure.** `optimizer.step()` after `backward`, with its brackets: `optimizer.step` without them
# does nothing, and says nothing.

# %%
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
show(losses)

# %% [markdown]
# **With `workflow`.** `train_step` steps.

# %%
model, optimizer = start()
before = model.weights.item()
train_step(model, X, y, loss_fn=L1, optimizer=optimizer)
print(before != model.weights.item())

# %% [markdown]
# ## The loss doesn't move: `zero_grad` between `backward` and `step`

# %%
model, optimizer = start()
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    losses.append(loss.item())
show(losses)
print("gradient:", model.weights.grad)

# %% [markdown]
# **Recognise it.** All five lines are there, and yet nothing changes. After the loop every `.grad`
# is `None`.
#
# **Why.** Swapped steps: the gradients are thrown away before they are used.
#
# **Cure.** `zero_grad` may stand before `backward` or after `step`, not between the two.

# %%
losses = []
for _ in range(4):
    loss = L1(model(X), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
show(losses)

# %% [markdown]
# **With `workflow`.** The order in `train_step` is fixed: predict, loss, `zero_grad`, `backward`,
# `step`.

# %%
model, optimizer = start()
show(train_step(model, X, y, loss_fn=L1, optimizer=optimizer) for _ in range(4))

# %% [markdown]
# ## The loss goes up: the learning rate is too high

# %%
# alt: The training loss over 20 epochs on a logarithmic axis. It climbs in a nearly straight line
#   over several powers of ten.
# caption: Learning rate 1, with MSE on the line of the course.
model, optimizer = start(lr=1)
too_high = []
for _ in range(20):
    loss = MSE(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    too_high.append(loss.item())
show(too_high[:6])
plt.semilogy(too_high)
plt.xlabel("epoch")
plt.ylabel("training loss")

# %% [markdown]
# **Recognise it.** Each loss is a multiple of the one before. On a logarithmic axis it is a
# straight line upwards.
#
# **Why.** The step leads across the valley and up the other side, where the slope is steeper, so
# the next step is longer still.
#
# **Cure.** A smaller learning rate: divide by 10 until it falls. If that leads to tiny rates, look
# at [the features' size](data.py#the-loss-explodes-or-crawls-features-of-very-different-size).

# %%
model, optimizer = start(lr=0.1)
history = fit(model, train, loss_fn=MSE, optimizer=optimizer, epochs=20)
show([epoch.train_loss for epoch in history[:6]])

# %% [markdown]
# **With `workflow`.** As long as the loss is a number, `fit` goes on, as your own loop would: it
# can't know whether you expect it to fall. Look at `plot_history`.

# %%
model, optimizer = start(lr=1)
history = fit(model, train, loss_fn=MSE, optimizer=optimizer, epochs=100)
print(f"{history[-1].train_loss:.1e} after 100 epochs")

# %% [markdown]
# ## The loss is nan after some epochs: the learning rate is far too high

# %%
model, optimizer = start(lr=10)
for epoch in range(100):
    loss = MSE(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 5 == 0 and epoch < 30:
        print(f"epoch {epoch:2}: {loss.item():.3g}")

# %% [markdown]
# **Recognise it.** First it grows, then it is `inf`, then `nan`. A `nan` in the very first epoch
# has [another cause](data.py#the-loss-is-nan-from-the-first-epoch-a-missing-value-in-the-data).
#
# **Why.** The numbers outgrow `float32`, which ends near 3.4e38. Infinity minus infinity is `nan`.
#
# **Cure.** A smaller learning rate and a *new* model: from `nan` no step leads back.

# %%
print(f"after it: {model.weights.item()}; float32 ends at {torch.finfo(torch.float32).max:.1e}")
model, optimizer = start(lr=0.1)
history = fit(model, train, loss_fn=MSE, optimizer=optimizer, epochs=100)
print(f"{history[-1].train_loss:.5f}")

# %% [markdown]
# **With `workflow`.** `fit` stops in that epoch, and says what to try.

# %% tags=["raises-exception"]
model, optimizer = start(lr=10)
fit(model, train, loss_fn=MSE, optimizer=optimizer, epochs=100)

# %% [markdown]
# ## The loss hardly moves: the learning rate is too low

# %%
model, optimizer = start(lr=0.00001)
history = fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=100)
show([epoch.train_loss for epoch in history[::33]])

# %% [markdown]
# **Recognise it.** It falls, but in the last digits only. That is the difference from a loop with
# a line missing, where it stays equal.
#
# **Why.** Each step is the learning rate times the slope, and both are small.
#
# **Cure.** Multiply by 10 until it falls quickly, and stop before it
# [goes up](#the-loss-goes-up-the-learning-rate-is-too-high).

# %%
for lr in (0.0001, 0.001, 0.01):
    model, optimizer = start(lr)
    history = fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=100)
    print(f"lr {lr}: {history[-1].train_loss:.5f}")

# %% [markdown]
# **With `workflow`.** It can't notice slowness. Only a learning rate of 0 is refused.

# %% tags=["raises-exception"]
model, optimizer = start(lr=0.0)
fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=100)

# %% [markdown]
# ## Only the first epoch learns: a generator as data is used up

# %%
model, optimizer = start()
pairs = ((X[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10))
for epoch in range(3):
    seen = 0
    for X_batch, y_batch in pairs:
        train_step(model, X_batch, y_batch, loss_fn=L1, optimizer=optimizer)
        seen += len(X_batch)
    print(f"epoch {epoch}: {seen} examples, weight {model.weights.item():.4f}")

# %% [markdown]
# **Recognise it.** From the second epoch on nothing changes, and epochs take no time. Where the
# loop divides by the number of batches, it ends in a `ZeroDivisionError`.
#
# **Why.** A generator, like `zip`, `map` or `iter(loader)`, can be walked once.
#
# **Cure.** Something that starts anew: a list, a `DataLoader`, or `batches`.

# %%
model, optimizer = start()
pairs = batches(X, y, batch_size=10)
for epoch in range(3):
    for X_batch, y_batch in pairs:
        train_step(model, X_batch, y_batch, loss_fn=L1, optimizer=optimizer)
    print(f"epoch {epoch}: weight {model.weights.item():.4f}")

# %% [markdown]
# **With `workflow`.** `fit` refuses an iterator.

# %% tags=["raises-exception"]
used_up = iter(pairs)
fit(model, used_up, loss_fn=L1, optimizer=optimizer, epochs=3)

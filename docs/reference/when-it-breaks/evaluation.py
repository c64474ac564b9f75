# ---
# description: Scores that mislead and plots that lie, from a forgotten eval to a leaked test set.
# ---

# %% [markdown]
# # When evaluation breaks
#
# [All failures](index.md). The subject itself is taught in
# [Evaluation](../../evaluation/index.md).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    MLP,
    Result,
    batches,
    choose,
    evaluate,
    fit,
    make_line,
    plot_predictions,
    predict,
    split,
)

train, test = split(*make_line(), shuffle=False)
X_test, y_test = test

# %% [markdown]
# ## A different result each time I ask: `eval()` is forgotten

# %%
torch.manual_seed(42)
model = nn.Sequential(nn.Linear(1, 16), nn.Dropout(0.5), nn.Linear(16, 1))
for _ in range(3):
    print(f"{model(X_test[:1]).item():.4f}")

# %% [markdown]
# **Recognise it.** The same model and the same input, and yet another prediction.
# `model.training` is `True`.
#
# **Why.** In train mode `Dropout` switches off outputs by chance. `BatchNorm` is another layer
# with two modes: it measures the batch in one and remembers in the other.
#
# **Cure.** `model.eval()` before you predict, `model.train()` before you train on. A model is in
# train mode when it is built.

# %%
model.eval()
for _ in range(3):
    print(f"{model(X_test[:1]).item():.4f}")

# %% [markdown]
# **With `workflow`.** `predict` and `evaluate` see to it, and give the mode back.

# %%
model.train()
print([f"{predict(model, X_test[:1]).item():.4f}" for _ in range(3)], model.training)

# %% [markdown]
# ## One example in train mode: `Expected more than 1 value per channel when training`

# %% tags=["raises-exception"]
norm = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
norm(X_test[:1])

# %% [markdown]
# **Recognise it.** It comes with a single example: when you try out one, or in training, when the
# last batch has one left.
#
# **Why.** `BatchNorm` measures mean and spread over the batch. One example has no spread.
#
# **Cure.** To predict: `eval()`. To train: another batch size, or `drop_last=True` in the
# `DataLoader`.

# %%
norm.eval()
print(tuple(norm(X_test[:1]).shape))

# %% [markdown]
# **With `workflow`.** `predict` is in eval mode, so it can't happen there. When a batch of one is
# left in training, torch's message comes through.

# %%
norm.train()
print(tuple(predict(norm, X_test[:1]).shape))

# %% [markdown]
# ## Plotting predictions: `Can't call numpy() on Tensor that requires grad`

# %% tags=["raises-exception"]
line = nn.Linear(1, 1)
line(X_test).numpy()

# %% [markdown]
# **Recognise it.** A prediction goes to Matplotlib or NumPy, and came from a model outside
# `inference_mode`.
#
# **Why.** NumPy can't record, so gradients would be lost without a word. Autograd wants you to say
# that you know.
#
# **Cure.** Predict without recording; then there is nothing to detach. `detach()` helps
# afterwards, and `.cpu()` with a tensor on a GPU.

# %%
with torch.inference_mode():
    y_pred = line(X_test)
print(y_pred.numpy().shape, line(X_test).detach().cpu().numpy().shape)

# %% [markdown]
# **With `workflow`.** What `predict` returns can be drawn. `plot_predictions` also takes a tensor
# that requires grad.

# %%
print(predict(line, X_test).numpy().shape)
plot_predictions(train, test, line(X_test))
plt.close()

# %% [markdown]
# ## The loss depends on the batch size: an average of averages

# %%
torch.manual_seed(42)
line, L1 = nn.Linear(1, 1), nn.L1Loss()
with torch.inference_mode():
    losses = [L1(line(X), y).item() for X, y in batches(*train, batch_size=16)]
    true = L1(line(train[0]), train[1]).item()
print("batches of", [len(X) for X, _ in batches(*train, batch_size=16)])
print(f"mean of the batch means {sum(losses) / len(losses):.5f}, of all examples {true:.5f}")

# %% [markdown]
# **Recognise it.** The same model and data, and another loss with another batch size.
#
# **Why.** The short last batch counts as much as a full one, so its examples count double here.
#
# **Cure.** Weight each batch by its length.

# %%
with torch.inference_mode():
    pairs = batches(*train, batch_size=16)
    total = sum(L1(line(X), y).item() * len(X) for X, y in pairs)
print(f"{total / len(train[0]):.5f}")

# %% [markdown]
# **With `workflow`.** `evaluate` gathers all predictions before it scores; `train_epoch` weights.

# %%
for size in (16, 40):
    score = evaluate(line, batches(*train, batch_size=size), loss_fn=L1)
    print(f"batches of {size}: {score['loss']:.5f}")

# %% [markdown]
# ## The plot shows the old data: stale defaults

# %%
X_train, y_train = train


def count_drawn(data=X_train):
    return len(data)


(X_train, y_train), _ = split(*make_line(), fractions=(0.5, 0.5), shuffle=False)
print("drawn:", count_drawn(), "points, in the new split:", len(X_train))

# %% [markdown]
# **Recognise it.** You split again, and the plot doesn't change.
#
# **Why.** Python computes a default once, when it reads the `def`. The name `X_train` has moved
# on, the default hasn't.
#
# **Cure.** No data as defaults: hand it over.


# %%
def count_drawn(data):
    return len(data)


print("drawn:", count_drawn(X_train), "points")

# %% [markdown]
# **With `workflow`.** `plot_predictions` has no default for the data, so it can't be stale.

# %% tags=["raises-exception"]
plot_predictions()

# %% [markdown]
# ## Good in training, bad in use: overfitting
#
# Ten noisy points, and a network with thousands of parameters.

# %%
X_noisy, y_noisy = make_line(noise=0.2)
few, others = split(X_noisy, y_noisy, fractions=(0.2, 0.8))


def learned(data, epochs):
    """Train on data, and give the loss on it and on points that were not in it."""
    torch.manual_seed(42)
    network, mse = MLP(1, (64, 64), 1), nn.MSELoss()
    adam = torch.optim.Adam(network.parameters(), lr=0.01)
    fit(network, data, loss_fn=mse, optimizer=adam, epochs=epochs)
    unseen = make_line(0, 1, 0.001, noise=0.2, seed=1)
    return [evaluate(network, part, loss_fn=mse)["loss"] for part in (data, unseen)]


for epochs in (20, 1000):
    in_training, in_use = learned(few, epochs)
    print(f"{epochs:4} epochs: in training {in_training:.4f}, in use {in_use:.4f}")

# %% [markdown]
# **Recognise it.** The loss is far lower on the training data than on any other. Over the epochs,
# the training loss falls on while the validation loss turns and climbs.
#
# **Why.** The model has room for each example by itself, noise and all, and enough epochs to
# learn it by heart.
#
# **Cure.** More data helps most. Else stop where the validation loss is lowest, or take a smaller
# model. Some of the gap always stays.

# %%
in_training, in_use = learned(others, 1000)
print(f"with 40 points: in training {in_training:.4f}, in use {in_use:.4f}")

# %% [markdown]
# **With `workflow`.** Give `fit` validation data and `patience`: it stops when nothing has improved
# for so many epochs, and the best weights are put back. `plot_history` shows the turn.

# %%
torch.manual_seed(42)
network, mse = MLP(1, (64, 64), 1), nn.MSELoss()
adam = torch.optim.Adam(network.parameters(), lr=0.01)
how = {"loss_fn": mse, "optimizer": adam, "epochs": 1000, "patience": 50}
history = fit(network, few, others, **how)
print(f"stopped after {len(history)} epochs")

# %% [markdown]
# ## Good in the test, bad in use: the test set leaked
#
# Labels by chance: there is nothing to learn. But each row is in the table twice, and the model
# does no more than remember rows.

# %%
torch.manual_seed(42)
rows, labels = torch.rand(1000, 1), torch.rand(1000, 1)
table, table_labels = rows.repeat(2, 1), labels.repeat(2, 1)


def remembered(known, answers, asked):
    """Answer with the label of the nearest known row."""
    return answers[torch.cdist(asked, known).argmin(dim=1)]


(known, answers), held_out = split(table, table_labels)
in_test = nn.L1Loss()(remembered(known, answers, held_out[0]), held_out[1])
new, new_labels = torch.rand(1000, 1), torch.rand(1000, 1)
in_use = nn.L1Loss()(remembered(known, answers, new), new_labels)
print(f"error in the test {in_test:.3f}, in use {in_use:.3f}")

# %% [markdown]
# **Recognise it.** Too good to be true, until new data comes. Ask whether a test row is also in
# training: here most are.
#
# **Why.** The test must ask what training never saw. It leaks by doubles, by rows of one person or
# one day on both sides, by scaling with the mean of *all* data, or by choosing settings by test
# score.
#
# **Cure.** First throw doubles out, then split, then measure whatever you scale with on the
# training part alone.

# %%
print((held_out[0] == known.T).any(dim=1).sum().item(), "of", len(held_out[0]), "are in training")
(known, answers), held_out = split(rows, labels)
print((held_out[0] == known.T).any(dim=1).sum().item(), "without the doubles")
in_test = nn.L1Loss()(remembered(known, answers, held_out[0]), held_out[1])
print(f"error in the test {in_test:.3f}")

# %% [markdown]
# **With `workflow`.** It can't notice doubles. What it refuses is to choose by a test score.

# %% tags=["raises-exception"]
choose([Result({"lr": 0.1}, 0, {"test_loss": 0.02}, {}, None)], by="test_loss")

# ---
# description: Wrong shapes and dtypes, text, gaps and lost examples, with messages and cures.
# ---

# %% [markdown]
# # When data breaks
#
# [All failures](index.md). The subject itself is taught in [Data](../../data/index.md).

# %%
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from workflow import fit, make_line, plot_predictions, predict, split, to_tensor

X, y = make_line()


def sgd(model, lr=0.01):
    return torch.optim.SGD(model.parameters(), lr=lr)


# %% [markdown]
# ## Wrong shape: `mat1 and mat2 shapes cannot be multiplied`

# %% tags=["raises-exception"]
layer = nn.Linear(1, 1)
layer(X.squeeze())

# %% [markdown]
# **Recognise it.** The brackets hold two shapes, rows × columns: first the data, then the weights.
# The columns of the first have to be as many as the rows of the second.
#
# **Why.** A layer wants a row for each example and a column for each feature. `squeeze` took the
# column away, and 50 examples of one feature became one example of 50.
#
# **Cure.** Give the column back, and print the shape before the layer sees it.

# %%
column = X.squeeze().unsqueeze(1)
print(tuple(column.shape), "gives", tuple(layer(column).shape))

# %% [markdown]
# **With `workflow`.** `fit` says which data it is, and passes torch's message on. It comes before
# the first step, so nothing has changed.

# %% tags=["raises-exception"]
fit(layer, (X.squeeze(), y), loss_fn=nn.L1Loss(), optimizer=sgd(layer), epochs=1)

# %% [markdown]
# ## Wrong dtype: `mat1 and mat2 must have the same dtype`

# %% tags=["raises-exception"]
from_numpy = torch.from_numpy(np.arange(0, 1, 0.02)).unsqueeze(1)
layer(from_numpy)

# %% [markdown]
# **Recognise it.** Double is `float64`, Float is `float32`, Long is `int64`. The first is the
# data's, the second the model's.
#
# **Why.** NumPy counts in `float64`, the layers of PyTorch in `float32`. Neither is converted
# behind your back.
#
# **Cure.** Convert the data, not the model: `float32` is enough, and half the size.

# %%
print(from_numpy.dtype, "becomes", from_numpy.float().dtype)
print(tuple(layer(from_numpy.float()).shape))

# %% [markdown]
# **With `workflow`.** `to_tensor` makes `float32` of fractions. If another dtype gets as far as
# the model, the message says which side to convert.

# %% tags=["raises-exception"]
print(to_tensor(np.arange(0, 1, 0.02)).dtype)
predict(layer, from_numpy)

# %% [markdown]
# ## A column of text: `can't convert np.ndarray of type numpy.object_`

# %% tags=["raises-exception"]
table = np.array([[21.5, "sun"], [17.0, "rain"]], dtype=object)
torch.tensor(table)

# %% [markdown]
# **Recognise it.** The array's dtype is `object`: at least one entry is no number.
#
# **Why.** A tensor holds numbers of one kind. A table from a file often has a column of words, or
# a gap that was read as text.
#
# **Cure.** Give each word a number, or better a column of its own.

# %%
sun = table[:, 1] == "sun"
numbers = np.column_stack([table[:, 0], sun, ~sun]).astype(np.float32)
print(torch.tensor(numbers))

# %% [markdown]
# **With `workflow`.** `to_tensor` says which entry it is.

# %% tags=["raises-exception"]
to_tensor(table)

# %% [markdown]
# ## Rows of different lengths: `stack expects each tensor to be equal size`

# %% tags=["raises-exception"]
sentences = [torch.tensor([4, 8, 15]), torch.tensor([16, 23])]
next(iter(DataLoader(sentences, batch_size=2)))

# %% [markdown]
# **Recognise it.** It comes from a `DataLoader`, at the first batch that mixes two lengths. The
# message names the lengths.
#
# **Why.** A batch is one tensor, and a tensor is a rectangle.
#
# **Cure.** Fill the short ones up, here with 0.

# %%
pad = nn.utils.rnn.pad_sequence
loader = DataLoader(sentences, batch_size=2, collate_fn=lambda rows: pad(rows, batch_first=True))
print(next(iter(loader)))

# %% [markdown]
# **With `workflow`.** `to_tensor` calls such data ragged.

# %% tags=["raises-exception"]
to_tensor([[4, 8, 15], [16, 23]])

# %% [markdown]
# ## The predictions are all the same: `Using a target size that is different`
#
# Labels of shape `(N,)` against predictions of shape `(N, 1)`.

# %% tags=["expect-warning"]
torch.manual_seed(42)
train, test = split(X, y, shuffle=False)
model = nn.Linear(1, 1)
optimizer = sgd(model, lr=0.1)
flat = train[1].squeeze()  # (40,), and the predictions are (40, 1)
for _ in range(500):
    loss = nn.MSELoss()(model(train[0]), flat)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss:.4f}, weight {model.weight.item():.4f}, bias {model.bias.item():.4f}")
print(f"mean of the labels {flat.mean():.4f}")

# %%
# alt: The training points rise along a line and the test points go on from there. The
#   predictions for the test points lie on a level line far below them, at the mean of the
#   training labels.
# caption: Every prediction is the mean of the training labels.
plot_predictions(train, test, predict(model, test[0]))

# %% [markdown]
# **Recognise it.** A warning that is easy to overlook, a weight that goes to zero, and predictions
# that all come to the mean of the labels.
#
# **Why.** `(40, 1)` minus `(40,)` is broadcast to `(40, 40)`: each prediction is compared with
# every label. What fits all labels best is their mean.
#
# **Cure.** One shape for both.

# %%
right = flat.unsqueeze(1)
print(nn.MSELoss(reduction="none")(model(train[0]), right).shape)
assert torch.equal(right, train[1])

# %% [markdown]
# **With `workflow`.** `fit`, `train_step` and `evaluate` refuse it.

# %% tags=["raises-exception"]
fit(model, (train[0], flat), loss_fn=nn.MSELoss(), optimizer=optimizer, epochs=1)

# %% [markdown]
# ## The loss is nan from the first epoch: a missing value in the data

# %%
gap = X.clone()
gap[3] = float("nan")
layer = nn.Linear(1, 1)
optimizer = sgd(layer)
for epoch in range(2):
    loss = nn.MSELoss()(layer(gap), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss.item()}, weight {layer.weight.item()}")

# %% [markdown]
# **Recognise it.** `nan` at once, where a learning rate that is too high takes a few epochs.
# After one step the weights are `nan` too, and the model is lost.
#
# **Why.** Whatever is computed with `nan` is `nan`: one gap among 50 examples spoils the mean.
#
# **Cure.** Count the gaps, then drop those rows or fill them, and build the model again.

# %%
whole = torch.isfinite(gap).all(dim=1)
layer = nn.Linear(1, 1)
print(int((~whole).sum()), "row dropped")
print("finite:", nn.MSELoss()(layer(gap[whole]), y[whole]).isfinite().item())

# %% [markdown]
# **With `workflow`.** It looks before the first step, and names the row.

# %% tags=["raises-exception"]
fit(layer, (gap, y), loss_fn=nn.MSELoss(), optimizer=sgd(layer), epochs=1)

# %% [markdown]
# ## The loss is nan from the first epoch: a column that never changes

# %%
table = torch.cat([X, torch.full_like(X, 20.0)], dim=1)  # the second is 20 in each row
scaled = (table - table.mean(dim=0)) / table.std(dim=0)
print(scaled[:2])

# %% [markdown]
# **Recognise it.** After scaling, a whole column is `nan`, or `inf` in rows that come later. Or it
# holds a number that means nothing: of a value without an exact binary form, rounding may leave a
# deviation of nearly 0 to divide by.
#
# **Why.** A column that is the same in each row has a standard deviation of 0, and 0 divided by 0
# is `nan`.
#
# **Cure.** Leave it out: where nothing changes, nothing can be learned. If it has to stay, divide
# it by 1. Look at the column itself: its largest number is its smallest.

# %%
spread = table.std(dim=0)
spread[table.amax(dim=0) == table.amin(dim=0)] = 1
print(((table - table.mean(dim=0)) / spread)[:2])

# %% [markdown]
# **With `workflow`.** `fit` looks before the first step, and shows a row.

# %% tags=["raises-exception"]
layer = nn.Linear(2, 1)
fit(layer, (scaled, y), loss_fn=nn.MSELoss(), optimizer=sgd(layer), epochs=1)

# %% [markdown]
# ## The loss is nan from the first epoch: root or logarithm of a negative number

# %%
amounts = torch.tensor([[4.0], [0.0], [-4.0]])
print(amounts.sqrt().flatten(), amounts.log().flatten())

# %% [markdown]
# **Recognise it.** A column went through `sqrt` or `log`, and holds `nan` or `-inf` now. NumPy
# warns; PyTorch says nothing.
#
# **Why.** A negative number has no real root and no logarithm. The logarithm of 0 is minus
# infinity, with which no loss can be computed either.
#
# **Cure.** Look at these rows first: is a negative amount a mistake, a refund, a missing value?
# Where 0 is a true value, `log1p` takes the logarithm of one more.

# %%
print(int((amounts < 0).sum()), "negative:", amounts[amounts < 0])
print(amounts[amounts >= 0].log1p())

# %% [markdown]
# **With `workflow`.** `fit` refuses what isn't finite.

# %% tags=["raises-exception"]
layer = nn.Linear(1, 1)
pair = (amounts.log(), torch.ones(3, 1))
fit(layer, pair, loss_fn=nn.MSELoss(), optimizer=sgd(layer), epochs=1)

# %% [markdown]
# ## The loss explodes or crawls: features of very different size
#
# One column in metres, below 1, the other in grams, in thousands.

# %%
grams = 3000 + 2000 * torch.rand(X.shape, generator=torch.Generator().manual_seed(0))
table, answers = torch.cat([X, grams], dim=1), y + grams / 10000


def loss_after(table, lr):
    torch.manual_seed(42)
    layer = nn.Linear(2, 1)
    optimizer = sgd(layer, lr)
    for _ in range(200):
        loss = nn.MSELoss()(layer(table), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


for lr in (0.1, 1e-7, 1e-8):
    print(f"lr {lr}: {loss_after(table, lr):.4f}")
print(f"always the mean: {answers.var(correction=0):.4f}")

# %% [markdown]
# **Recognise it.** Each learning rate is either too high, with `inf` and `nan`, or so low that the
# loss stands still before it is any good. `table.std(dim=0)` has numbers of very different size.
#
# **Why.** A weight's slope is as large as its feature. A step that is right for the grams is far
# too small for the metres, and one that is right for the metres throws the grams off the road.
#
# **Cure.** Bring the features to one scale before training, with mean and standard deviation of
# the training data. New data is scaled with the same two numbers, so keep them beside the model.

# %%
scaled = (table - table.mean(dim=0)) / table.std(dim=0)
print(f"scaled, lr 0.1: {loss_after(scaled, 0.1):.1e}")

# %% [markdown]
# **With `workflow`.** `fit` stops when the loss is no longer a number, and names the feature.

# %% tags=["raises-exception"]
layer = nn.Linear(2, 1)
fit(layer, (table, answers), loss_fn=nn.MSELoss(), optimizer=sgd(layer, 0.1), epochs=200)

# %% [markdown]
# ## One example too many: float steps in `arange`

# %%
print(torch.arange(1, 1.3, 0.1))

# %% [markdown]
# **Recognise it.** The end, which should be left out, is in. You notice when a shape is one off.
#
# **Why.** 0.1 and 1.3 have no exact binary form. Their quotient lands just above 3, and `arange`
# rounds up.
#
# **Cure.** Count in whole numbers and divide, or say how many with `linspace`.

# %%
print(torch.arange(10, 13) / 10)

# %% [markdown]
# **With `workflow`.** `make_line` rounds a quotient that is meant to be whole.

# %%
print(len(make_line(start=1, end=1.3, step=0.1)[0]), "points")

# %% [markdown]
# ## One example is missing: `int` cuts off in a split

# %%
n = 100
cut = int(0.29 * n)
print("asked for 29% of 100, got", cut, "because 0.29 * 100 is", 0.29 * n)

# %% [markdown]
# **Recognise it.** A part is one shorter than its share. With lengths computed one by one, an
# example may belong to no part.
#
# **Why.** `int` cuts off, and the product lies just below 29.
#
# **Cure.** Round, and cut at places, so that one part begins where the other ends.

# %%
rows = list(range(n))
cut = round(0.29 * n)
print(len(rows[:cut]), "and", len(rows[cut:]))

# %% [markdown]
# **With `workflow`.** `split` does just that.

# %%
hundred = torch.arange(100.0).unsqueeze(1)
print([len(part[0]) for part in split(hundred, hundred, fractions=(0.29, 0.71))])

# ---
# description: Graphs used twice or cut off, leaves changed in place, and what backward says.
# ---

# %% [markdown]
# # When backward breaks
#
# [All failures](index.md). The subject itself is taught in [Training](../../training/index.md).

# %%
import torch
from torch import nn

from workflow import fit, make_line, predict, train_step

X, y = make_line()
layer = nn.Linear(1, 1)
L1 = nn.L1Loss()
optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)

# %% [markdown]
# ## Backward twice: `Trying to backward through the graph a second time`

# %% tags=["raises-exception"]
loss = L1(layer(X), y)
loss.backward()
loss.backward()

# %% [markdown]
# **Recognise it.** The second `backward` on one loss, or one on a loss that holds an earlier one,
# such as `total = total + loss` over all batches.
#
# **Why.** The graph records how the loss came about. `backward` uses it up, to save memory.
#
# **Cure.** A new forward pass for each `backward`. To add up losses for printing, take the number
# with `.item()`. `retain_graph=True`, which the message offers, is rarely what you want.

# %%
total = 0.0
for _ in range(2):
    loss = L1(layer(X), y)
    optimizer.zero_grad()
    loss.backward()
    total += loss.item()
print("backward ran twice, total is a", type(total).__name__)

# %% [markdown]
# **With `workflow`.** `train_step` does one forward pass and one `backward`, and returns the loss
# without its graph.

# %%
loss = train_step(layer, X, y, loss_fn=L1, optimizer=optimizer)
print(loss.requires_grad)

# %% [markdown]
# ## A loss without a graph: `element 0 of tensors does not require grad`

# %% tags=["raises-exception"]
y_pred = layer(X).detach()
L1(y_pred, y).backward()

# %% [markdown]
# **Recognise it.** `loss.requires_grad` is `False`, and `loss.grad_fn` is `None`.
#
# **Why.** Something between the parameters and the loss stopped the recording: `detach()`, a
# `no_grad` block, a way through NumPy, or parameters that are all frozen.
#
# **Cure.** Find the first tensor that says `False`, and mend the line that made it.

# %%
y_pred = layer(X)
loss = L1(y_pred, y)
print(y_pred.requires_grad, loss.requires_grad)
loss.backward()

# %% [markdown]
# **With `workflow`.** Its steps cut nothing off. Frozen parameters it reports before the first
# step.

# %% tags=["raises-exception"]
frozen = nn.Linear(1, 1).requires_grad_(False)
still = torch.optim.SGD(frozen.parameters(), lr=0.01)
fit(frozen, (X, y), loss_fn=L1, optimizer=still, epochs=1)

# %% [markdown]
# ## `.item()` too early: `'float' object has no attribute 'backward'`

# %% tags=["raises-exception"]
loss = L1(layer(X), y).item()
loss.backward()

# %% [markdown]
# **Recognise it.** `loss` prints as a bare number, not as `tensor(…)`.
#
# **Why.** `.item()` takes the number out of the tensor and leaves the graph behind.
#
# **Cure.** First `backward`, then `.item()`.

# %%
loss = L1(layer(X), y)
loss.backward()
print(type(loss.item()).__name__)

# %% [markdown]
# **With `workflow`.** `train_epoch` and `fit` call `.item()` after the last step of an epoch, and
# hand you plain numbers.

# %%
[epoch] = fit(layer, (X, y), loss_fn=L1, optimizer=optimizer, epochs=1)
print(type(epoch.train_loss).__name__)

# %% [markdown]
# ## One loss for each example: `grad can be implicitly created only for scalar outputs`

# %% tags=["raises-exception"]
loss = nn.L1Loss(reduction="none")(layer(X), y)
loss.backward()

# %% [markdown]
# **Recognise it.** `loss.shape` is not `torch.Size([])`.
#
# **Why.** A gradient says how to make *one* number smaller. With `reduction="none"` there are 50.
#
# **Cure.** Take the mean, or leave `reduction` as it is.

# %%
print(loss.shape, "becomes", loss.mean().shape)
loss.mean().backward()

# %% [markdown]
# **With `workflow`.** `fit` refuses every reduction but the mean.

# %% tags=["raises-exception"]
each = nn.L1Loss(reduction="none")
fit(layer, (X, y), loss_fn=each, optimizer=optimizer, epochs=1)

# %% [markdown]
# ## A step by hand: `a leaf Variable that requires grad is being used in an in-place operation`

# %% tags=["raises-exception"]
L1(layer(X), y).backward()
layer.weight -= 0.01 * layer.weight.grad

# %% [markdown]
# **Recognise it.** A line with `-=`, `+=` or a method such as `mul_`, applied to a parameter.
#
# **Why.** A *leaf* is a tensor that you made, not the result of a computation. To change it in
# place would be a computation that autograd has to record, on the tensor that it starts from.
#
# **Cure.** Move parameters where nothing is recorded. That is what an optimizer does.

# %%
before = layer.weight.item()
with torch.no_grad():
    layer.weight -= 0.01 * layer.weight.grad
print(layer.weight.item() != before, layer.weight.requires_grad)

# %% [markdown]
# **With `workflow`.** It leaves the moving to `optimizer.step()`, so the line isn't needed.

# %%
before = layer.weight.item()
train_step(layer, X, y, loss_fn=L1, optimizer=optimizer)
print(layer.weight.item() != before)

# %% [markdown]
# ## A result needed later: `modified by an inplace operation`

# %% tags=["raises-exception"]
share = torch.sigmoid(layer(X))
share += 1
share.sum().backward()

# %% [markdown]
# **Recognise it.** `backward` fails, and the message counts versions: the tensor was changed after
# it was recorded. It names the operation whose result that was, here `Sigmoid`.
#
# **Why.** The slope of the sigmoid is computed from its result, and that was overwritten.
#
# **Cure.** A new tensor in place of the change.

# %%
share = torch.sigmoid(layer(X))
share = share + 1
share.sum().backward()

# %% [markdown]
# **With `workflow`.** It can't notice before `backward` does: the line is inside your model. Its
# own models change nothing in place.

# %% [markdown]
# ## `inference_mode` too early: `Inference tensors cannot be saved for backward`

# %% tags=["raises-exception"]
with torch.inference_mode():
    features = layer(X)
head = nn.Linear(1, 1)
head(features).sum().backward()

# %% [markdown]
# **Recognise it.** A tensor made inside `inference_mode` is used in training, such as the features
# from a frozen first part. `features.is_inference()` says so.
#
# **Why.** Inference tensors leave out what autograd would need to keep track of them, for good. It
# shows only where `backward` has to keep the tensor: adding one to a parameter passes, multiplying
# by one doesn't.
#
# **Cure.** `no_grad` doesn't record either, but its tensors may be used later.

# %%
with torch.no_grad():
    features = layer(X)
head(features).sum().backward()
print(head.weight.grad is not None)
with torch.inference_mode():
    features = layer(X)
(features + head.bias).sum().backward()  # passes: a sum needs neither of its parts

# %% [markdown]
# **With `workflow`.** `predict` records nothing either, but what it returns is an ordinary tensor,
# which may be learned from.

# %%
features = predict(layer, X)
print(features.is_inference())
head(features).sum().backward()

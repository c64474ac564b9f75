# ---
# description: What loss functions refuse, from logits in BCELoss to labels of the wrong dtype.
# ---

# %% [markdown]
# # When loss functions break
#
# [All failures](index.md). The subject itself is taught in [Training](../../training/index.md).

# %%
import torch
from torch import nn

from workflow import fit

torch.manual_seed(42)
X = torch.tensor([[0.0], [1.0], [2.0]])
one_output, three_outputs = nn.Linear(1, 1), nn.Linear(1, 3)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.01)


# %% [markdown]
# ## Logits into `BCELoss`: `all elements of input should be between 0 and 1`

# %% tags=["raises-exception"]
logits = torch.tensor([[2.0], [-1.0], [0.5]])
yes_or_no = torch.tensor([[1.0], [0.0], [1.0]])
nn.BCELoss()(logits, yes_or_no)

# %% [markdown]
# **Recognise it.** The input is what the model put out, and some of it is below 0 or above 1.
#
# **Why.** `BCELoss` wants probabilities. A linear layer gives *logits*, any numbers at all.
#
# **Cure.** `BCEWithLogitsLoss` takes logits, and computes more exactly than `sigmoid` and
# `BCELoss` in turn.

# %%
print(nn.BCEWithLogitsLoss()(logits, yes_or_no))

# %% [markdown]
# **With `workflow`.** It gives the range and both ways out.

# %% tags=["raises-exception"]
how = {"optimizer": sgd(one_output), "epochs": 1}
fit(one_output, (X - 2, yes_or_no), loss_fn=nn.BCELoss(), **how)

# %% [markdown]
# ## Whole-number labels: `result type Float can't be cast to the desired output type Long`

# %% tags=["raises-exception"]
nn.BCEWithLogitsLoss()(logits, yes_or_no.long())

# %% [markdown]
# **Recognise it.** The labels print as `0` and `1`, without a point.
#
# **Why.** The binary losses read a label as a probability, which is a float. Only losses of many
# classes want whole numbers.
#
# **Cure.** `.float()` on the labels.

# %%
print(nn.BCEWithLogitsLoss()(logits, yes_or_no.long().float()))

# %% [markdown]
# **With `workflow`.** It says the same, in one line.

# %% tags=["raises-exception"]
fit(one_output, (X, yes_or_no.long()), loss_fn=nn.BCEWithLogitsLoss(), **how)

# %% [markdown]
# ## One axis too few: `Target size must be the same as input size`

# %% tags=["raises-exception"]
nn.BCEWithLogitsLoss()(logits, yes_or_no.squeeze())

# %% [markdown]
# **Recognise it.** The two shapes stand in the message. They differ by a last axis of 1.
#
# **Why.** The model gives a column, the labels are a row of numbers. `L1Loss` and `MSELoss` only
# warn here, and the model
# [learns the mean](data.py#the-predictions-are-all-the-same-using-a-target-size-that-is-different).
#
# **Cure.** Give the labels the column too.

# %%
labels = yes_or_no.squeeze()
print(nn.BCEWithLogitsLoss()(logits, labels.unsqueeze(1)))

# %% [markdown]
# **With `workflow`.** It refuses this for every loss that compares number with number.

# %% tags=["raises-exception"]
fit(one_output, (X, labels), loss_fn=nn.BCEWithLogitsLoss(), **how)

# %% [markdown]
# ## Class labels as floats: `expected target dtype to be Long or Byte, but got Float`

# %% tags=["raises-exception"]
scores = three_outputs(X)
classes = torch.tensor([0.0, 1.0, 2.0])
nn.CrossEntropyLoss()(scores, classes)

# %% [markdown]
# **Recognise it.** The labels have a point: `tensor([0., 1., 2.])`. Older versions say
# `expected scalar type Long but found Float`.
#
# **Why.** A class number picks one of the outputs, so it has to be whole. Read from a table, it
# often comes as a float.
#
# **Cure.** `.long()` on the labels.

# %%
print(nn.CrossEntropyLoss()(scores, classes.long()).isfinite())

# %% [markdown]
# **With `workflow`.** It names the label, the loss and the way out. `to_tensor` leaves whole
# numbers whole.

# %% tags=["raises-exception"]
how = {"loss_fn": nn.CrossEntropyLoss(), "optimizer": sgd(three_outputs), "epochs": 1}
fit(three_outputs, (X, classes), **how)

# %% [markdown]
# ## A class too many: `Target 3 is out of bounds`

# %% tags=["raises-exception"]
from_one = torch.tensor([1, 2, 3])
nn.CrossEntropyLoss()(scores, from_one)

# %% [markdown]
# **Recognise it.** An `IndexError` with a class number in it. On a GPU it may be a *device-side
# assert* that names another line; run on the CPU to see this one.
#
# **Why.** Three outputs are the classes 0, 1 and 2. Either the labels count from 1, or the last
# layer is too small.
#
# **Cure.** Count from 0, or give the layer an output for each class.

# %%
print(nn.CrossEntropyLoss()(scores, from_one - 1).isfinite())

# %% [markdown]
# **With `workflow`.** It gives the range of the labels and the number of outputs.

# %% tags=["raises-exception"]
fit(three_outputs, (X, from_one), **how)

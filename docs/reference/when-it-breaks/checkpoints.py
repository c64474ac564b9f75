# ---
# description: Files that don't load, keys that don't match, a best model that changed.
# ---

# %% [markdown]
# # When checkpoints break
#
# [All failures](index.md). The subject itself is taught in
# [Checkpoints](../../checkpoints/index.md).

# %%
from pathlib import Path
from unittest.mock import patch

import torch
from torch import nn

from workflow import LinearRegressionModel, load, make_line, save, train_step

torch.manual_seed(42)
X, y = make_line()

# %% [markdown]
# ## The best model isn't the best any more: `state_dict` is an alias

# %%
model = LinearRegressionModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
best = model.state_dict()
kept = best["weights"].item()
train_step(model, X, y, loss_fn=nn.L1Loss(), optimizer=optimizer)
print(f"kept {kept:.4f}, and after a step it is {best['weights'].item():.4f}")

# %% [markdown]
# **Recognise it.** You put the best weights back, and the loss is that of the last ones.
#
# **Why.** The tensors in a `state_dict` are the model's own, under a second name.
#
# **Cure.** Clone each one. (A copy made with `copy.deepcopy` does as well.)

# %%
best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
kept = best["weights"].item()
train_step(model, X, y, loss_fn=nn.L1Loss(), optimizer=optimizer)
print(best["weights"].item() == kept)

# %% [markdown]
# **With `workflow`.** `fit` with `patience` or `folder` keeps a copy. `save` writes the numbers
# to a file, which is a copy too.

# %%
save("best.pt", model)
kept = model.weights.item()
train_step(model, X, y, loss_fn=nn.L1Loss(), optimizer=optimizer)
load("best.pt", model)
print(model.weights.item() == kept)

# %% [markdown]
# ## A whole model in a file: `Weights only load failed`

# %% tags=["raises-exception"]
torch.save(model, "whole.pt")
torch.load("whole.pt")

# %% [markdown]
# **Recognise it.** An `UnpicklingError`, and `Unsupported global` with the name of a class.
#
# **Why.** A pickled model is code to be run when it is read, and so can be anything that somebody
# put in its place. Since version 2.6 `torch.load` reads only tensors, plain values and what you
# allow.
#
# **Cure.** Save the `state_dict`, and build the model from its class. An old file that *you* wrote
# you can still read, with its class allowed by name. `weights_only=False` allows everything: never
# for a file from somebody else.

# %%
with torch.serialization.safe_globals([LinearRegressionModel]):
    old = torch.load("whole.pt")
torch.save(old.state_dict(), "line.pt")
copy = LinearRegressionModel()
print(copy.load_state_dict(torch.load("line.pt")))

# %% [markdown]
# **With `workflow`.** `save` writes no code, and `load` runs none.

# %% tags=["raises-exception"]
load("whole.pt", model)

# %% [markdown]
# ## Another model than was saved: `Missing key(s) in state_dict`

# %% tags=["raises-exception"]
layer = nn.Linear(1, 1)
layer.load_state_dict(torch.load("line.pt"))

# %% [markdown]
# **Recognise it.** Two lists of names: those that the model has and the file hasn't, and the other
# way round.
#
# **Why.** The model isn't built as it was. Names come from the attributes in the class: `weights`
# in one, `weight` in the other.
#
# **Cure.** Print both lists of names and build the model as then. Where only a name has changed,
# change it in the file. `strict=False` silences the message and leaves the rest of the model
# untrained.

# %%
state = torch.load("line.pt")
print(list(state), "and", list(layer.state_dict()))
state = {"weight": state["weights"].reshape(1, 1), "bias": state["bias"]}
print(layer.load_state_dict(state))

# %% [markdown]
# **With `workflow`.** `load` compares before it changes anything.

# %% tags=["raises-exception"]
save("best.pt", LinearRegressionModel())
load("best.pt", layer)

# %% [markdown]
# ## A dictionary too deep: `Unexpected key(s) in state_dict: "model", "epoch"`

# %% tags=["raises-exception"]
torch.save({"model": layer.state_dict(), "epoch": 3}, "run.pt")
layer.load_state_dict(torch.load("run.pt"))

# %% [markdown]
# **Recognise it.** The unexpected keys are no layers, but `model` or `epoch`. Or each has a prefix
# such as `module.`, from a model that was wrapped.
#
# **Why.** The file holds more than the weights: the state of a whole run. The weights are one
# level down.
#
# **Cure.** Take them out. A prefix goes with `removeprefix`.

# %%
run = torch.load("run.pt")
print(layer.load_state_dict(run["model"]))
wrapped = {f"module.{name}": tensor for name, tensor in run["model"].items()}
bare = {name.removeprefix("module."): tensor for name, tensor in wrapped.items()}
print(layer.load_state_dict(bare))

# %% [markdown]
# **With `workflow`.** `load` knows what `save` wrote, and says so of another file.

# %% tags=["raises-exception"]
load("run.pt", layer)

# %% [markdown]
# ## A layer of another size: `size mismatch for weight`

# %% tags=["raises-exception"]
torch.save(nn.Linear(1, 1).state_dict(), "small.pt")
wide = nn.Linear(2, 1)
wide.load_state_dict(torch.load("small.pt"))

# %% [markdown]
# **Recognise it.** The names fit and the shapes don't; the message has both.
#
# **Why.** The file comes from a model with other numbers of inputs, outputs or hidden units.
#
# **Cure.** Build it with the saved sizes, which the file tells.

# %%
state = torch.load("small.pt")
outputs, inputs = state["weight"].shape
print(nn.Linear(inputs, outputs).load_state_dict(state))

# %% [markdown]
# **With `workflow`.** `load` lists each mismatch. What you put into `metadata`, such as sizes,
# comes back from `read_checkpoint`.

# %% tags=["raises-exception"]
save("small.pt", nn.Linear(1, 1), metadata={"inputs": 1})
load("small.pt", wide)

# %% [markdown]
# ## A file from a GPU: `Attempting to deserialize object on a CUDA device`
#
# The site is built without a GPU, so the file is told that it comes from one.

# %% tags=["raises-exception"]
with patch("torch.serialization.location_tag", return_value="cuda:0"):
    torch.save(model.state_dict(), "gpu.pt")
torch.load("gpu.pt")

# %% [markdown]
# **Recognise it.** The model was trained on another machine, and `torch.cuda.is_available()` is
# `False` on this one.
#
# **Why.** Each tensor in a file remembers its device, and `torch.load` puts it there.
#
# **Cure.** `map_location="cpu"`, always. Move the model afterwards.

# %%
state = torch.load("gpu.pt", map_location="cpu")
print(state["weights"].device, model.load_state_dict(state))

# %% [markdown]
# **With `workflow`.** `load` reads onto the CPU, wherever the file comes from, and moves the
# model to `device`.

# %%
with patch("torch.serialization.location_tag", return_value="cuda:0"):
    save("gpu.pt", model)
print(load("gpu.pt", model).epoch, model.weights.device)

# %% [markdown]
# ## A file cut off: `PytorchStreamReader failed reading zip archive`

# %% tags=["raises-exception"]
whole = Path("line.pt").read_bytes()
Path("cut.pt").write_bytes(whole[: len(whole) // 2])
torch.load("cut.pt")

# %% [markdown]
# **Recognise it.** The file is smaller than it was, after a download or a copy, or since a program
# was stopped while it saved.
#
# **Why.** A checkpoint is a zip archive, and its list of contents stands at the end.
#
# **Cure.** Fetch it again, or go back to the one before. To be safe, write beside the old file and
# rename when it's whole.

# %%
beside = Path("line.pt.new")
torch.save(model.state_dict(), beside)
beside.replace("line.pt")
print(list(torch.load("line.pt")))

# %% [markdown]
# **With `workflow`.** `save` writes like that. `load` says what is wrong with a damaged file.

# %% tags=["raises-exception"]
load("cut.pt", model)

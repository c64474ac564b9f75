# ---
# description: Layers that aren't found, optimizers of another model, two devices, late seeds.
# ---

# %% [markdown]
# # When models break
#
# [All failures](index.md). The subject itself is taught in [Models](../../models/index.md).

# %%
import torch
from torch import nn

from workflow import (
    MLP,
    LinearRegressionModel,
    best_device,
    fit,
    make_line,
    predict,
    run,
    summary,
)

X, y = make_line()

# %% [markdown]
# ## Forgotten `super().__init__()`: `cannot assign parameters before Module.__init__() call`


# %% tags=["raises-exception"]
class Line(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter(torch.randn(1))


Line()

# %% [markdown]
# **Recognise it.** It comes when the model is built, from the first line that stores a parameter.
# Where that is a layer, it says `cannot assign module`.
#
# **Why.** `nn.Module.__init__` makes the lists in which parameters and layers are kept. Your
# `__init__` took its place without calling it.
#
# **Cure.** `super().__init__()` as the first line.


# %%
class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.weight * x


print(tuple(Line()(X).shape))

# %% [markdown]
# **With `workflow`.** It isn't asked before the model exists. Its own `LinearRegressionModel` and
# `MLP` have the line.

# %%
print(summary(LinearRegressionModel()))

# %% [markdown]
# ## Layers in a Python list: `optimizer got an empty parameter list`


# %% tags=["raises-exception"]
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(1, 4), nn.Linear(4, 1)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


torch.optim.SGD(Stack().parameters(), lr=0.01)

# %% [markdown]
# **Recognise it.** The model predicts, but `list(model.parameters())` is empty. Worse is a model
# with another layer outside the list: then nothing is raised, and the listed ones never learn.
#
# **Why.** A module finds the layers that are its attributes. Into a plain list it doesn't look.
#
# **Cure.** `nn.ModuleList`, or `nn.Sequential` if one follows the other.


# %%
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 1))

    def forward(self, x):
        return self.layers(x)


print(len(list(Stack().parameters())), "parameters")

# %% [markdown]
# **With `workflow`.** An optimizer is made before `fit` is called, so torch's message comes
# first. `summary` shows what a model holds; `MLP` keeps its layers where they are found.

# %%
print(summary(MLP(1, 4, 1)))

# %% [markdown]
# ## Misspelt `forward`: `is missing the required "forward" function`


# %% tags=["raises-exception"]
class Double(nn.Module):
    def foward(self, x):
        return 2 * x


Double()(X)

# %% [markdown]
# **Recognise it.** The model is built without complaint; the message comes with the first call.
#
# **Why.** Calling a module calls its `forward`. A method of another name, or one indented too
# far, isn't it.
#
# **Cure.** Mend the name.


# %%
class Double(nn.Module):
    def forward(self, x):
        return 2 * x


print(Double()(X[1:3]))

# %% [markdown]
# **With `workflow`.** It calls models as you do, so torch's message comes through.

# %% tags=["raises-exception"]
predict(nn.Module(), X)

# %% [markdown]
# ## `object has no attribute 'parameter'`

# %% tags=["raises-exception"]
layer = nn.Linear(1, 1)
torch.optim.SGD(layer.parameter(), lr=0.01)

# %% [markdown]
# **Recognise it.** The message has the class in front, and at its end the name that isn't there.
#
# **Why.** A slip of the pen: the method is `parameters()`. A layer that you forgot to store in
# `self` reads the same, with its own name.
#
# **Cure.** `dir` lists the names that an object has.

# %%
print([name for name in dir(layer) if "parameter" in name and not name.startswith("_")])
optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)

# %% [markdown]
# **With `workflow`.** It can't notice: the line fails before anything is handed over.

# %% [markdown]
# ## Wrong device: `Tensor on device meta is not on the expected device cpu`
#
# The device *meta* has shapes and no numbers, and every machine has it. With a GPU the words are
# `Expected all tensors to be on the same device`, as the [cheat sheet](../cheat-sheet.md) quotes.

# %% tags=["raises-exception"]
layer = nn.Linear(1, 1, device="meta")
layer(X)

# %% [markdown]
# **Recognise it.** Two devices in one message, such as `cpu` and `cuda:0`.
#
# **Why.** A calculation runs where its tensors are. Model and data have to be in one place; often
# the model was moved and the batch was not.
#
# **Cure.** Choose the device once, and move both. `model.to` moves the model itself, `X.to` gives
# a copy, so store it.

# %%
device = best_device()
model, data = nn.Linear(1, 1).to(device), X.to(device)
print(model(data).device == data.device)

# %% [markdown]
# **With `workflow`.** It names both places. With `device=`, `fit` moves model and data.

# %% tags=["raises-exception"]
predict(layer, X)

# %% [markdown]
# ## The seed has no effect: it is set after the model was built

# %%
torch.manual_seed(7)  # stands for whatever state there was
for _ in range(2):
    model = LinearRegressionModel()
    torch.manual_seed(42)
    print(f"weight {model.weights.item():.4f}")

# %% [markdown]
# **Recognise it.** There is a seed, and yet the first loss differs.
#
# **Why.** A model draws its start values while it is built. What is seeded later comes too late.
# Here the second model is the same in each run; the first was drawn from whatever state there was.
#
# **Cure.** Seed right before you build.

# %%
for _ in range(2):
    torch.manual_seed(42)
    model = LinearRegressionModel()
    print(f"weight {model.weights.item():.4f}")

# %% [markdown]
# **With `workflow`.** It can't notice where you put the seed. `run` seeds before each experiment,
# so that models built inside start alike.


# %%
def start(seed):
    return {"weight": LinearRegressionModel().weights.item()}


print([result.scores for result in run(start, [{}], seeds=(42,)) * 2])

# %% [markdown]
# ## The loss doesn't move: an optimizer made before the model was replaced

# %%
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.manual_seed(42)
model = nn.Linear(1, 1)  # built again, as notebook cells are run again
for epoch in range(3):
    loss = nn.L1Loss()(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss:.5f}")

# %% [markdown]
# **Recognise it.** The same loss to the last digit, though all five steps are there.
#
# **Why.** The optimizer holds the parameters of the first model, and no others. Where you replace
# one layer, such as the last one of a pretrained model, it is that layer that never learns.
#
# **Cure.** Make the optimizer again, after every change to the model.

# %%
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    loss = nn.L1Loss()(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: loss {loss:.5f}")

# %% [markdown]
# **With `workflow`.** `fit` compares the two before it starts.

# %% tags=["raises-exception"]
fit(nn.Linear(1, 1), (X, y), loss_fn=nn.L1Loss(), optimizer=optimizer, epochs=1)

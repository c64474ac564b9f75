# ---
# description: Write a model with two parameters, look inside, predict, stack layers, reuse one.
# ---

# %% [markdown]
# # Build a model
#
# About 23 minutes.
#
# [The page before](index.md) explains what a model is. Here you write one by hand, look inside it
# and ask it for predictions before it has learned anything. `torch.nn` has the building blocks of
# models; `nn` is its usual short name.

# %%
import copy
import json

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    MLP,
    LinearRegressionModel,
    fit,
    make_line,
    plot_predictions,
    predict,
    split,
    summary,
)

# %% [markdown]
# The data is the line of [the stage before](../data/tutorial.py), split in order: 40 points for
# training, 10 for the test.

# %%
X, y = make_line(0, 1, 0.02, weight=0.7, bias=0.3)
train, test = split(X, y, shuffle=False)
X_test, y_test = test
print(len(train[0]), "for training,", len(X_test), "for the test")

# %% [markdown]
# ## Two open numbers
#
# We know that the points lie on a line, but let us forget which one. A model of them is then
# $weight \cdot x + bias$, with both numbers still open. As a class it takes seven lines, and
# [the page before](index.md#the-model-line-by-line) explains each.


# %%
class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(1))
        self.bias = nn.Parameter(torch.randn(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weights * x + self.bias


# %% [markdown]
# The types say that `forward` takes a tensor and returns one. The capital letter matters:
# `torch.Tensor` is the class, `torch.tensor` is the function that makes a tensor of a list.

# %%
print("X is a torch.Tensor:    ", isinstance(X, torch.Tensor))
print("torch.tensor is a class:", isinstance(torch.tensor, type))

# %% [markdown]
# ## Start random
#
# A new model has to start somewhere, so `torch.randn` draws both numbers at random. Set the seed
# right before you build the model, and they are the same on your computer as here.

# %%
torch.manual_seed(42)
model = Line()
print(f"weights {model.weights.item():.4f}, bias {model.bias.item():.4f}")
assert round(model.weights.item(), 4) == 0.3367
assert round(model.bias.item(), 4) == 0.1288

# %% [markdown]
# `.item()` takes the number out of a tensor that holds a single one. Build another without a seed
# and it starts elsewhere, as the random numbers simply go on.

# %%
other = Line()
print(f"weights {other.weights.item():.4f}, bias {other.bias.item():.4f}")

# %% [markdown]
# [`LinearRegressionModel`][workflow.LinearRegressionModel] is the same class in the package. The
# same seed gives it the same numbers.

# %%
torch.manual_seed(42)
packaged = LinearRegressionModel()
assert torch.equal(packaged.weights, model.weights)
assert torch.equal(packaged.bias, model.bias)

# %% [markdown]
# ## Look inside
#
# `parameters()`, with an s, hands out a model's parameters one by one. It is a *generator*: to see
# them, make a list of it or loop over it.

# %%
print(type(model.parameters()).__name__)
print(list(model.parameters()))

# %% [markdown]
# `named_parameters()` gives the name as well.

# %%
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape), parameter.item())

# %% [markdown]
# How does the model know which of its tensors are parameters? `nn.Module` watches each
# `self.name = value`, and it writes down those that are an `nn.Parameter`. A plain tensor is kept
# on the object, but it isn't on the list, so nothing would ever train it.


# %%
class Forgetful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.randn(1)  # not an nn.Parameter
        self.bias = nn.Parameter(torch.randn(1))


print([name for name, _ in Forgetful().named_parameters()])

# %% [markdown]
# The list itself is made by `super().__init__()`. Leave that out, and there is nothing to write
# on.


# %%
class Unprepared(nn.Module):
    def __init__(self) -> None:
        self.weights = nn.Parameter(torch.randn(1))


try:
    Unprepared()
except AttributeError as error:
    print(error)

# %% [markdown]
# `Forgetful` has no `forward`, and PyTorch didn't mind. A module needs one only when it is called.
# `nn.ModuleList`, a list of modules, is never called and has none.

# %%
shelf = nn.ModuleList([Line(), Line()])
print(len(list(shelf.parameters())), "parameters")
try:
    shelf(X)
except NotImplementedError as error:
    print(error)

# %% [markdown]
# ## Call the model, not forward
#
# To get predictions, call the model as if it were a function. `model(X)` runs `forward` and, round
# it, whatever was attached to the model: functions called *hooks*. `model.forward(X)` skips them.
# This hook notes each call; it is given the model, what went in and what came out.

# %%
calls = []


def note(module, inputs, output):
    calls.append("called")


hook = model.register_forward_hook(note)
model(X_test)
print("after model(X_test):        ", calls)
model.forward(X_test)
print("after model.forward(X_test):", calls)

assert len(calls) == 1
hook.remove()

# %% [markdown]
# ## Predict before any training
#
# Before you ask a model for predictions, tell it two things. `eval()` tells its layers that this
# is use and not training. `torch.inference_mode()` tells PyTorch to record nothing for training.
# Both are explained below.

# %%
model.eval()
with torch.inference_mode():
    y_pred = model(X_test)

print(y_pred.shape)
print("predicted:", y_pred[:3].flatten())
print("should be:", y_test[:3].flatten())

# %% [markdown]
# One prediction for each row, and none of them is near. That is as it should be: the model has
# seen no training data yet. Look at it as well.

# %%
# alt: Forty blue circles climb in a straight line, and ten green squares carry the line on. Ten red
#   crosses lie far below the squares, at about half their height, and hardly climb.
# caption: Before training, the predictions are on another line altogether.
ax = plot_predictions(train, test, y_pred)

# %% [markdown]
# The crosses lie on a line too, because this model can't do anything else. Training will turn and
# lift that line until it lies on the points.
#
# [`predict`][workflow.predict] does the same in one call. Afterwards it puts the model back into
# the mode it came in, here the one for training.

# %%
model.train()
assert torch.equal(predict(model, X_test), y_pred)
assert model.training

# %% [markdown]
# ### Better numbers, by hand
#
# On [the page before](index.md#be-the-optimizer) you can look for better numbers yourself, on
# twenty noisy points. They are made here, with the start and the lowest *MSE* that any line has on
# them: the mean of the squared misses, which a direct calculation can find for a line.

# %% tags=["collapse"]
# publish: optimizer
# alt: Twenty blue circles fall unevenly from the upper left to the lower right. A red line begins
#   far below them and climbs across. A thin grey bar joins each circle to the line.
# caption: The start, and how far it misses each point. With JavaScript, two sliders move the line:
#   try to make the misses smaller than gradient descent does.
twenty, heights = make_line(0, 1, 0.05, weight=-0.6, bias=0.9, noise=0.1, seed=2)
first = predict(model, twenty)
columns = torch.cat([twenty, torch.ones_like(twenty)], dim=1)
fitted = columns @ torch.linalg.lstsq(columns, heights).solution

fig, ax = plt.subplots()
ax.vlines(twenty.flatten(), first.flatten(), heights.flatten(), colors="gray", lw=1)
ax.plot(twenty, first, c="#D55E00", label="model")
ax.plot(twenty, heights, "o", ms=5, c="#0072B2", label="data")
ax.set(xlabel="x", ylabel="y")
ax.legend()
game = {
    "X": [round(x, 6) for x in twenty.flatten().tolist()],
    "y": [round(y, 6) for y in heights.flatten().tolist()],
    "weight": round(model.weights.item(), 6),
    "bias": round(model.bias.item(), 6),
    "best": round((fitted - heights).square().mean().item(), 6),
}
print(json.dumps(game))

# %% [markdown]
# ## What eval does
#
# `train()` and `eval()` set one switch, `training`, on the model and on every layer in it. Our
# line doesn't look at it. Some layers do: `nn.Dropout(0.5)` sets about half of its input to zero
# in training and doubles the rest, but hands everything on unchanged in use. A new module is
# in train mode.

# %%
dropout = nn.Dropout(0.5)
print(dropout.training, dropout(torch.ones(8)))
dropout.eval()
print(dropout.training, dropout(torch.ones(8)))

# %% [markdown]
# So with such a layer and without `eval()`, you get other predictions each time. What the switch
# does *not* do is stop the recording.

# %%
model.eval()
print(model(X_test).requires_grad)

# %% [markdown]
# ## What is recorded
#
# `requires_grad` means: PyTorch records the calculations that this tensor is used in. Training
# walks back along the record to find how each parameter affects the result. An `nn.Parameter` has
# it already. Writing `requires_grad=True` inside `torch.randn` as well changes nothing.

# %%
plain = torch.randn(1)
print("a plain tensor:", plain.requires_grad)
print("as a parameter:", nn.Parameter(plain).requires_grad)

# %% [markdown]
# A tensor that came out of a recorded calculation knows its last step, its `grad_fn`. One that did
# not is a *leaf*: the record begins there. The parameters are leaves, the data is one, and the
# predictions are none; their last step was adding the bias.

# %%
recorded = model(X_test)
for name, tensor in [
    ("X_test", X_test),
    ("weights", model.weights),
    ("predictions", recorded),
]:
    print(name)
    print("  is a leaf:    ", tensor.is_leaf)
    print("  requires grad:", tensor.requires_grad)
    print("  last step:    ", tensor.grad_fn and tensor.grad_fn.name())

# %% [markdown]
# Training computes a gradient for each leaf that asks for one. `X_test` is a leaf and doesn't ask.
#
# ## Two ways to record nothing
#
# Recording takes time and memory, and predictions don't need it. `torch.no_grad()` stops it, and
# so does `torch.inference_mode()`. Neither touches the parameters: only what comes out is
# different.

# %%
with torch.no_grad():
    without_grad = model(X_test)
    print("weights, inside no_grad:       ", model.weights.requires_grad)

with torch.inference_mode():
    for_inference = model(X_test)
    print("weights, inside inference_mode:", model.weights.requires_grad)

print("out of no_grad:       ", without_grad.requires_grad)
print("out of inference_mode:", for_inference.requires_grad)
assert torch.equal(without_grad, for_inference)

# %% [markdown]
# The two results hold the same numbers. They differ in what you may do with them later. What came
# out under `no_grad` may go into a recorded calculation again.

# %%
print((without_grad * model.weights).requires_grad)

# %% [markdown]
# What came out under `inference_mode` is an *inference tensor*. It saves PyTorch some bookkeeping,
# and the price is that a record can't hold it. Adding to it works, as the way back through a sum
# needs neither number. The way back through a product needs both. The message goes on with the two
# ways out: `clone()` it, or use `no_grad`. Here is its first sentence.

# %%
assert for_inference.is_inference()
print((for_inference + model.weights).requires_grad)
try:
    for_inference * model.weights
except RuntimeError as error:
    print("RuntimeError:", str(error).split(". ")[0])

print((for_inference.clone() * model.weights).requires_grad)

# %% [markdown]
# So take `inference_mode` for predictions that you look at, score or save, and `no_grad` when the
# result goes back into training. `predict` takes `no_grad`, so what it returns will do for both.
#
# ## The state of a model
#
# `state_dict()` returns a dictionary from names to tensors: what you would save to a file.

# %%
state = model.state_dict()
print(state)

# %% [markdown]
# It is no copy. Its tensors share their memory with the model, so when the model changes, they
# change as well. A copy is made with `clone()`. `no_grad` lets us change a parameter by hand; the
# underscore of `add_` says that it changes the tensor in place.

# %%
kept = {name: tensor.clone() for name, tensor in state.items()}
with torch.no_grad():
    model.bias.add_(1)

print("model:     ", model.bias.item())
print("state_dict:", state["bias"].item())
print("clone:     ", kept["bias"].item())

# %% [markdown]
# `load_state_dict` puts a state back, so the clone undoes the change.

# %%
print(model.load_state_dict(kept))
assert torch.equal(predict(model, X_test), y_pred)

# %% [markdown]
# ### Buffers
#
# A model may need a number that it doesn't learn, such as the mean of the training data. Keep it
# as a *buffer*: `register_buffer` gives it a name. It is part of the state and is saved with it,
# but it is no parameter. (`self.mean = nn.Buffer(mean)` does the same.)


# %%
class CentredLine(nn.Module):
    def __init__(self, mean: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.line = Line()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.line(x - self.mean)


centred = CentredLine(train[0].mean())
print("parameters:", [name for name, _ in centred.named_parameters()])
print("state_dict:", list(centred.state_dict()))

# %% [markdown]
# A module inside a module has its name put in front, with a dot. And this is why the state isn't
# simply the parameters: the mean is in it too. [`summary`][workflow.summary] lists both kinds.

# %%
print(summary(centred))

# %% [markdown]
# ## The same model as a layer
#
# PyTorch has our model ready made. `nn.Linear(1, 1)` takes one feature and gives one number, and
# its parameters are called `weight` and `bias`.

# %%
torch.manual_seed(42)
linear = nn.Linear(1, 1)
print(f"weight {linear.weight.item():.4f}, bias {linear.bias.item():.4f}")
print(summary(linear))
assert round(linear.weight.item(), 4) == 0.7645
assert round(linear.bias.item(), 4) == 0.8300

# %% [markdown]
# The seed is the same and the numbers aren't, because the layer draws them in another way: all
# values between -1 and 1 are equally likely here, while `randn` prefers those near 0. The
# weight is a table, one row an output and one column a feature. Copy our two numbers into it, and
# the predictions are equal to the last bit.

# %%
with torch.no_grad():
    linear.weight.copy_(model.weights)
    linear.bias.copy_(model.bias)

assert torch.equal(predict(linear, X_test), predict(model, X_test))

# %% [markdown]
# ## Stack layers
#
# A line can only be straight. For more, put one layer behind another, with a bend between them.
# `nn.ReLU` is the bend: it replaces each negative number by 0.

# %%
print(nn.ReLU()(torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])))

# %% [markdown]
# `nn.Sequential` calls its modules in order. Here one feature becomes four numbers, the *hidden*
# ones, which are bent and then added up to one prediction.

# %%
torch.manual_seed(42)
stack = nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1))
print(stack(X_test).shape)

# %% [markdown]
# Such a stack is called a *multilayer perceptron*. [`MLP`][workflow.MLP] builds it from the
# sizes: features, hidden numbers, outputs.

# %%
torch.manual_seed(42)
mlp = MLP(1, 4, 1)
assert torch.equal(predict(mlp, X_test), predict(stack, X_test))
print(summary(mlp))

# %% [markdown]
# Thirteen numbers where the line has two: four weights and four biases in the first layer, four
# weights and one bias in the second. Count them like that for any model.
#
# Is the bend needed? Without it, a layer on a layer is a line of a line, which is a line again.
# Here are both, untrained, each with 16 hidden numbers.

# %%
# alt: Two curves from x = -3 to 3. The dashed one, without ReLU, is exactly straight. The solid
#   one, with ReLU, is made of straight pieces that bend into one another around the middle.
# caption: Both are untrained. Only the model with a ReLU can bend.
wide = torch.linspace(-3, 3, 121).unsqueeze(1)
torch.manual_seed(42)
bent = MLP(1, 16, 1)
first, _, last = bent.layers
straight = nn.Sequential(first, last)  # the same layers without the ReLU

fig, ax = plt.subplots()
ax.plot(wide, predict(bent, wide), c="#D55E00", label="with ReLU")
ax.plot(wide, predict(straight, wide), "--", c="#D55E00", label="without")
ax.set(xlabel="x", ylabel="prediction")
ax.legend()

# %% [markdown]
# From one x to the next, the dashed curve always climbs by the same amount.

# %%
climb = predict(straight, wide).diff(dim=0)
assert torch.allclose(climb, climb[0], atol=1e-5)

# %% [markdown]
# ## Pick a model instead
#
# Often somebody has trained a model on much more data than you have, on a task like yours. You can
# start from that *pretrained* model instead of from random numbers. Real ones are downloaded, for
# pictures from `torchvision` for example. This page downloads nothing, so we make a small one:
# an MLP with two hidden layers that has learned a wave. How [`fit`][workflow.fit] does that is the
# next stage; take the result as given.

# %% tags=["collapse"]
torch.manual_seed(42)
wave = torch.sin(2 * torch.pi * X)
pretrained = MLP(1, (16, 16), 1)
adam = torch.optim.Adam(pretrained.parameters(), lr=0.02)
mse = nn.MSELoss()
fit(pretrained, (X, wave), loss_fn=mse, optimizer=adam, epochs=500)

error = (predict(pretrained, X) - wave).abs().max().item()
print(f"largest error on the wave, which goes from -1 to 1: {error:.2f}")

# %% [markdown]
# Our own task is another wave, upside down and higher up, and we have only eight points of it. The
# first layers have learned where to bend, which is of use here too. The last layer makes the
# prediction from that, and has to be learned anew.
#
# So keep the first layers as they are and replace the last. First *freeze* everything: with
# `requires_grad` off, training leaves a parameter alone. (There are no buffers here. A BatchNorm
# layer has some, and goes on changing them in train mode.)

# %%
for parameter in pretrained.parameters():
    parameter.requires_grad = False

# %% [markdown]
# `train()` does not undo that. It sets the switch for the layers and nothing else.

# %%
pretrained.train()
print([parameter.requires_grad for parameter in pretrained.parameters()])

# %% [markdown]
# Then replace the last layer. The new one is random and not frozen. To see why order matters, make
# one optimizer before that and one after it. An optimizer is what will adjust the parameters, and
# it holds the list that it was given.

# %%
too_early = torch.optim.Adam(pretrained.parameters(), lr=0.05)
pretrained.layers[-1] = nn.Linear(16, 1)
optimizer = torch.optim.Adam(pretrained.parameters(), lr=0.05)

new = pretrained.layers[-1].weight
for name, made in [("too early", too_early), ("afterwards", optimizer)]:
    held = made.param_groups[0]["params"]
    print(name, "- holds the new layer:", any(one is new for one in held))

# %% [markdown]
# The early one still holds the layer that is gone. With it, PyTorch would train nothing and not
# say a word. `fit` looks first. Give it every seventh point of the new wave.

# %%
target = 1.5 - 0.5 * wave
few = (X[::7], target[::7])
try:
    fit(pretrained, few, loss_fn=mse, optimizer=too_early, epochs=300)
except ValueError as error:
    print(error)

# %% [markdown]
# So make the optimizer last. It may be given all parameters, as it passes over the frozen ones.
# Seventeen numbers are left to learn.

# %%
print(summary(pretrained))

# %% [markdown]
# Now train, and check that a frozen layer stays the same to the last bit.

# %%
before = pretrained.layers[0].weight.clone()
fit(pretrained, few, loss_fn=mse, optimizer=optimizer, epochs=300)
assert torch.equal(pretrained.layers[0].weight, before)

error = (predict(pretrained, X) - target).abs().max().item()
print(len(few[0]), "points")
print(f"largest error on the whole wave: {error:.2f}")

# %%
# alt: The wave of the new task dips to 1 and rises to 2 as a thin grey line. Eight blue circles
#   lie on it. The red dashed curve of the predictions is made of straight pieces, keeps close to
#   the line, and rises a little above it at the top.
# caption: Pretrained layers, a new last one, and eight points.
fig, ax = plt.subplots()
ax.plot(X, target, c="gray", lw=1, label="true curve")
ax.plot(X, predict(pretrained, X), "--", c="#D55E00", label="predictions")
ax.plot(*few, "o", ms=5, c="#0072B2", label="training data")
ax.set(xlabel="x", ylabel="y")
ax.legend()

# %% [markdown]
# ### Did it help?
#
# One run says little, as another random last layer would have another error. So take eight seeds,
# and for each compare with a model of the same size that is trained in the same way, but new in all
# its layers. Do it for this wave and for a task further away, one that swings twice as fast.
#
# The mean of the eight differences comes with its *standard error*: their standard deviation
# divided by the root of 8, which says how far off the mean may well be.


# %%
def error_after_training(model, task):
    adam = torch.optim.Adam(model.parameters(), lr=0.05)
    fit(model, (X[::7], task[::7]), loss_fn=mse, optimizer=adam, epochs=300)
    return (predict(model, X) - task).abs().mean()


faster = torch.sin(4 * torch.pi * X)
gains = {}
for name, task in [("this wave", target), ("a faster one", faster)]:
    reused, new = torch.zeros(8), torch.zeros(8)
    for seed in range(8):
        torch.manual_seed(seed)
        mine = copy.deepcopy(pretrained)
        mine.layers[-1] = nn.Linear(16, 1)
        reused[seed] = error_after_training(mine, task)
        torch.manual_seed(seed)
        new[seed] = error_after_training(MLP(1, (16, 16), 1), task)
    gain = new - reused
    standard_error = gain.std() / 8**0.5
    gains[name] = gain.mean() / standard_error
    print(f"{name}: mean error {reused.mean():.3f} pretrained, {new.mean():.3f} new")
    print(f"  gain {gain.mean():.3f}, standard error {standard_error:.3f}")

assert gains["this wave"] > 3  # times its standard error
assert gains["a faster one"] < -3

# %% [markdown]
# For this wave the bends that were learned are where they are needed, and a new model doesn't find
# them as well, from eight points in 300 epochs. For the faster one they are in the wrong places,
# frozen, and the new model wins. (A way between is to freeze nothing and train all layers on, which
# is called *fine-tuning*.)

# %% tags=["collapse"]
# publish: models
# Numbers for the page before.
equal = MLP(1, 16, 1)
with torch.no_grad():
    for parameter in equal.parameters():
        parameter.fill_(0.1)
sgd = torch.optim.SGD(equal.parameters(), lr=0.1)
fit(equal, train, loss_fn=mse, optimizer=sgd, epochs=100)

torch.manual_seed(42)
deep = nn.Sequential(nn.Linear(1, 16), nn.Linear(16, 16), nn.Linear(16, 1))
steps = predict(deep, torch.tensor([[0.0], [1.0], [2.0], [3.0]])).diff(dim=0).flatten()

with torch.inference_mode():
    answer = linear(X_test)

centred.shift = torch.tensor(0.5)

stale = MLP(1, 16, 1)
adam = torch.optim.Adam(stale.parameters(), lr=0.05)
stale.layers[-1] = nn.Linear(16, 1)
first = stale.layers[-1].weight.clone()
for _ in range(100):  # by hand, as fit would refuse
    adam.zero_grad()
    mse(stale(train[0]), train[1]).backward()
    adam.step()

nothing = MLP(1, 16, 1)
with torch.no_grad():
    for parameter in nothing.parameters():
        parameter.zero_()
mse(nothing(train[0]), train[1]).backward()
moving = [name for name, part in nothing.named_parameters() if part.grad.abs().max() > 0]
assert moving == ["layers.2.bias"]

numbers = {
    "many": sum(part.numel() for part in deep.parameters()),
    "units": len(torch.unique(equal.layers[0].weight)),
    "steps": ", ".join(f"{step:.3f}".replace("-", "−") for step in steps.tolist()),
    "parameter": str(linear.weight.requires_grad),
    "answer": str(answer.requires_grad),
    "state": ", ".join(f"`{name}`" for name in centred.state_dict()),
    "moved": f"{(stale.layers[-1].weight - first).abs().max().item():g}",
}
print(json.dumps(numbers))

# %% [markdown]
# You can now build a model, look inside it and ask it. What it can't do by itself is find better
# numbers. That is [the next stage](../training/index.md).
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# How many parameters has `MLP(2, (16, 16), 3)`? It has two features, two hidden layers of 16
# numbers, and three outputs. Work it out on paper first.

# %% tags=["solution"]
# starter: count = 0
count = (2 * 16 + 16) + (16 * 16 + 16) + (16 * 3 + 3)

# %% tags=["check"]
parts = dict(MLP(2, (16, 16), 3).named_parameters())
answer = sum(part.numel() for part in parts.values())
biases = sum(part.numel() for name, part in parts.items() if "bias" in name)
if not isinstance(count, (int, float)):
    print("Not yet: one number, please. This is", count)
elif count == answer:
    print("Right.")
elif count == answer - biases:
    print("Not yet: those are the weights. The biases are missing.")
elif count == answer - biases + 3:
    print("Not yet: a layer has more than one bias.")
elif count == answer - 16 * 16 - 16:
    print("Not yet: between the hidden layers there is a layer as well.")
else:
    print("Not yet:", count, "is too", "few." if count < answer else "many.")

# %% [markdown] tags=["hint"]
# There are three layers: 2 to 16, 16 to 16, 16 to 3.

# %% [markdown] tags=["solution"]
# A layer has a weight for each pair of input and output, and a bias for each output.

# %% [markdown] tags=["exercise"]
# These are three flats: area, rooms, balcony. Let `network` predict for them as in use, so that the
# same question gets the same answer, and nothing is recorded. Write it out, without `predict`. A
# hook notes for each call whether PyTorch was recording.

# %% tags=["solution"]
flats = torch.tensor([[52.5, 2, 1], [71.0, 3, 0], [38.0, 1, 0]])
torch.manual_seed(0)
network = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
recording = []
network.register_forward_hook(lambda *_: recording.append(torch.is_grad_enabled()))
# starter: answers = network(flats)
network.eval()
with torch.inference_mode():
    answers = network(flats)

# %% tags=["check"]
calls = list(recording)  # predict, below, is another
if not isinstance(answers, torch.Tensor) or answers.shape != (3, 1):
    print("Not yet: a tensor with one answer a flat, please, as a column.")
elif not calls:
    print("Not yet: forward skips the hook. Call the network itself.")
elif not torch.equal(answers, predict(network, flats)):
    print("Not yet: you predict in train mode, so Dropout drops numbers.")
elif network.training:
    print("Not yet: the network is in train mode, where predict puts it back. Write it out.")
elif calls[-1]:
    print("Not yet: PyTorch recorded the calculation.")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# One line tells the layers, another tells PyTorch.

# %% [markdown] tags=["solution"]
# `eval()` switches Dropout off and goes on recording; `inference_mode` does the reverse. You need
# both. `detach()` would come too late: it throws a record away that has been made.

# %% [markdown] tags=["exercise"]
# Write a model for a curve that falls and rises again: $a x^2 + b x + c$, with three parameters of
# these names, each starting random.


# %% tags=["solution"]
class Parabola(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        # starter: # Three parameters here, and below them a forward.
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))
        self.c = nn.Parameter(torch.randn(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a * x**2 + self.b * x + self.c


# %% tags=["check"]
def verdict():
    parabola, another = Parabola(), Parabola()
    found, others = dict(parabola.named_parameters()), dict(another.named_parameters())
    if plain := [name for name in "abc" if name in vars(parabola)]:
        return f"Not yet: {plain[0]} is no nn.Parameter, so nothing would train it."
    if sorted(found) != ["a", "b", "c"]:
        return f"Not yet: name them a, b and c. There are {sorted(found)}"
    if fixed := [name for name in "abc" if torch.equal(found[name], others[name])]:
        return f"Not yet: {fixed[0]} is the same each time. Let it start random."
    if len({part.item() for part in found.values()}) < 3:
        return "Not yet: they start equal. Draw a number for each."
    if "forward" not in vars(Parabola):
        return "Not yet: there is no forward."
    x = torch.tensor([[-2.0], [0.0], [3.0]])
    a, b, c = (found[name].item() for name in "abc")
    answers = parabola(x)
    if answers is None:
        return "Not yet: forward returns nothing."
    if answers.shape != x.shape or not torch.allclose(answers, a * x**2 + b * x + c):
        return "Not yet: forward should return a x² + b x + c."
    return "Right."


try:
    print(verdict())
except (AttributeError, NameError, RuntimeError, TypeError) as error:
    print("Not yet:", error)

# %% [markdown] tags=["hint"]
# Take the class `Line` from the top of the page and give it one parameter more.

# %% [markdown] tags=["solution"]
# A bent curve takes one number more than a line, and a formula. `nn.Parameter` puts each number on
# the list that training goes through.

# %% [markdown] tags=["exercise"]
# Take `flowers`, a model of four features and three outputs. Freeze it, then give it a new last
# layer with five outputs, so that only the new layer learns.

# %% tags=["solution"]
flowers = MLP(4, 8, 3)
# starter: # Your lines here.
for parameter in flowers.parameters():
    parameter.requires_grad = False
flowers.layers[-1] = nn.Linear(8, 5)

# %% tags=["check"]
learns = [name for name, part in flowers.named_parameters() if part.requires_grad]
last = [name for name, _ in flowers.named_parameters() if name.startswith("layers.2.")]
new = getattr(flowers.layers[-1], "weight", torch.zeros(0, 0))
if len(flowers.layers) != 3:
    print(
        "Not yet: replace the last layer; there are", len(flowers.layers), "parts now, not three."
    )
elif len(new) != 5:
    print("Not yet: five outputs, please. There are", len(new))
elif new.shape[1] != 8:
    print("Not yet: the last layer gets 8 numbers and expects", new.shape[1])
elif not learns:
    print("Not yet: nothing learns. The new layer was frozen with the rest.")
elif learns != last:
    print("Not yet: only the last layer should learn, all of it. These do:", learns)
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# A new layer is not frozen. So which comes first?

# %% [markdown] tags=["solution"]
# Freezing goes through the parameters that are there, so replace the layer afterwards, and make the
# optimizer last.

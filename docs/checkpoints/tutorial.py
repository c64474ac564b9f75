# ---
# description: Save a trained model, load it safely, and stop and resume a run bit for bit.
# given: [2.6, 0.05]
# ---

# %% [markdown]
# # Save a run and go on
#
# About 22 minutes.
#
# [The page before](index.md) explains what a run leaves behind. Here you write it to disk and read
# it back: by hand first, then with [`save`][workflow.save] and [`load`][workflow.load], then with
# an `assert` that both agree.

# %%
import copy
import json
from pathlib import Path
from pickle import UnpicklingError

import matplotlib.pyplot as plt
import torch
from torch import nn

from workflow import (
    MLP,
    CheckpointError,
    LinearRegressionModel,
    batches,
    best_device,
    evaluate,
    fit,
    load,
    make_line,
    plot_history,
    predict,
    read_checkpoint,
    save,
    split,
    train_epoch,
)

# %% [markdown]
# Everything is written into the folder `runs`, in the folder you work in. Here is the model to
# keep: the line of the earlier stages, after 100 epochs.

# %%
Path("runs").mkdir(exist_ok=True)
train, test = split(*make_line(), shuffle=False)
X_test, _ = test

torch.manual_seed(42)
model = LinearRegressionModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
how = {"loss_fn": nn.L1Loss(), "optimizer": optimizer}
history = fit(model, train, epochs=100, **how)
print(f"weights {model.weights.item():.4f}, bias {model.bias.item():.4f}")

# %% [markdown]
# ## The state dict
#
# `state_dict()` gives the model's numbers as a dictionary: a name, and the tensor behind it.

# %%
state = model.state_dict()
for name, tensor in state.items():
    print(name, tensor)

# %% [markdown]
# ### It moves with the model
#
# Say you want to keep these weights and train on. Keep the dictionary, train for another 100
# epochs, and look into it again. (`start=100` says that 100 epochs are done; `epochs=200` counts
# them too.) A second dictionary holds copies, made by `copy.deepcopy`.

# %%
copied = copy.deepcopy(state)
history = fit(model, train, epochs=200, start=100, **how)

for title, kept in [("kept:  ", state), ("copied:", copied)]:
    weights, bias = kept["weights"].item(), kept["bias"].item()
    print(f"{title} weights {weights:.4f}, bias {bias:.4f}")

assert round(state["weights"].item(), 4) == 0.6990
assert round(copied["weights"].item(), 4) == 0.5784

# %% [markdown]
# The first dictionary holds the weights of epoch 200, as if nothing had been kept. Its tensors are
# the model's own memory under another name, which is called an *alias*, and the optimizer changes
# that memory in place. Only the copy still holds epoch 100.
#
# `{name: tensor.clone() for …}` copies as well. Writing to a file also copies.

# %%
memory = model.weights.data_ptr()  # the place of its first number
assert state["weights"].data_ptr() == memory
assert copied["weights"].data_ptr() != memory

# %% [markdown]
# ### It holds more than parameters
#
# A `BatchNorm1d` layer learns two parameters. It also measures the mean and the variance of its
# inputs while in train mode, and uses them in eval mode. Those are *buffers*: no gradient, not in
# `parameters()`, but the predictions depend on them.

# %%
norm = nn.BatchNorm1d(1)
norm(X_test)  # in train mode, so it measures
print("parameters:", [n for n, _ in norm.named_parameters()])
print("state dict:", list(norm.state_dict()))

# %% [markdown]
# Copy only the parameters into a new layer, and its answers are others.

# %%
partial, full = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
parameters = dict(norm.named_parameters())
partial.load_state_dict(parameters, strict=False)
full.load_state_dict(norm.state_dict())

answers = predict(norm, X_test)
for name, layer in [("parameters", partial), ("state dict", full)]:
    same = torch.equal(predict(layer, X_test), answers)
    print(f"from the {name}: {same}")

# %% [markdown]
# `strict=False` told `load_state_dict` to put up with missing names, so there was no error, only
# wrong answers. Leave it out unless you mean it.
#
# ## Save and load by hand
#
# `torch.save` writes the dictionary. `.pt` and `.pth` are two habits for the name of the same
# kind of file; PyTorch looks at neither.
#
# The file holds numbers and names, and not the class. So loading starts with building a *new*
# model, whose weights are random.

# %%
torch.save(model.state_dict(), "runs/line.pt")

loaded = LinearRegressionModel()
print("new:   ", loaded.weights.item() == model.weights.item())
loaded.load_state_dict(torch.load("runs/line.pt", weights_only=True))
print("loaded:", loaded.weights.item() == model.weights.item())

# %% [markdown]
# Now compare the predictions. The mode isn't in the file, and a new model starts in train mode, so
# call `eval()` first. Equal means equal to the last bit.

# %%
model.eval()
loaded.eval()
with torch.inference_mode():
    assert torch.equal(loaded(X_test), model(X_test))

# %% [markdown]
# `save` writes the same state dict, with a few things beside it that come up below. `load` checks
# everything first, then fills the model.

# %%
note = {"loss": "L1", "lr": 0.01}
save("runs/packaged.pt", model, epoch=200, metadata=note)

packaged = LinearRegressionModel()
checkpoint = load("runs/packaged.pt", packaged)
print(checkpoint.epoch, checkpoint.metadata)
assert torch.equal(predict(packaged, X_test), predict(loaded, X_test))

# %% [markdown]
# ## Never the whole model
#
# `torch.save(model, …)` works too, and many old tutorials do it. What it writes is a *pickle*:
# Python's way to store any object, as a list of instructions for building it again. An instruction
# may be “call this function”, any function. A method called `__reduce__` says which. Here is an
# object that asks for `print`.


# %%
class Hostile:
    def __reduce__(self):
        return print, ("This line was run by loading a file.",)


torch.save(Hostile(), "runs/hostile.pt")
torch.load("runs/hostile.pt", weights_only=False)

# %% [markdown]
# Nobody called anything but `torch.load`. With `os.system` in the place of `print`, the file could
# have deleted your work. So `weights_only=False` means: I trust whoever made this file as I trust
# a program that I run.
#
# Since torch 2.6, `weights_only=True` is the default. The message is long; this is the part that
# matters.

# %%
try:
    torch.load("runs/hostile.pt", weights_only=True)
except UnpicklingError as error:
    reason = str(error).partition("WeightsUnpickler error: ")[2]
    print("UnpicklingError:", reason.partition("\n")[0])

# %% [markdown]
# The message offers two ways out. The one above, `safe_globals`, lets through what it names, one
# class or function that you know, such as one of your own. The other is `weights_only=False`, for
# everything. Both say: I trust this code. For somebody else's file you need neither. Ask for a
# state dict.
#
# This is what the check lets through and what it refuses. A whole model is a class of somebody's
# own, so it is refused too, harmless or not.

# %%
values = {
    "a tensor": torch.ones(2),
    "a number": 0.1,
    "a text": "flats.csv",
    "a list": [1, 2, None],
    "a path": Path("flats.csv"),
    "a model": model,
}
for name, value in values.items():
    torch.save(value, "runs/value.pt")
    try:
        torch.load("runs/value.pt", weights_only=True)
        print(name, "is allowed")
    except UnpicklingError:
        print(name, "is refused")

# %% [markdown]
# Whole models are fragile as well. The pickle holds the *name* of the class, not its code. Rename
# the class, or move it to another file, and the model can't be read.


# %%
class MyLine(LinearRegressionModel):
    pass


torch.save(MyLine(), "runs/whole.pt")
del MyLine  # as if it had been renamed

try:
    torch.load("runs/whole.pt", weights_only=False)
except AttributeError as error:
    print(str(error).partition(" on ")[0])

# %% [markdown]
# ## From one device to another
#
# A tensor in a file remembers the device it came from, and PyTorch tries to put it back there. A
# file from a GPU therefore fails on a computer without one. You can provoke the same message by
# asking for CUDA where there is none. Where there is one, the cell prints nothing.

# %%
try:
    torch.load("runs/line.pt", map_location="cuda", weights_only=True)
except RuntimeError as error:
    print(error)

# %% [markdown]
# The cure stands in it. With `map_location="cpu"` the file can be read anywhere; move the model
# afterwards. `load` always reads like this, and `device` says where the model goes.
# [`best_device`][workflow.best_device] is the accelerator if there is one, else the CPU.

# %%
file = "runs/line.pt"
on_cpu = torch.load(file, map_location="cpu", weights_only=True)
loaded.load_state_dict(on_cpu)
loaded.to(best_device())

load("runs/packaged.pt", packaged, device=best_device())
assert packaged.weights.device == loaded.weights.device
assert torch.equal(packaged.weights, loaded.weights)

# %% [markdown]
# ## Stop and go on
#
# The weights are enough to predict. To train on, a run needs more. Here is one in which every
# part matters: Adam, which remembers past gradients; `StepLR`, a scheduler that divides the
# learning rate by 10 every tenth epoch; shuffled batches; and `Dropout`, which sets numbers to zero
# at random in train mode.


# %%
def new_run():
    torch.manual_seed(0)
    layers = nn.Linear(1, 16), nn.Dropout(0.1), nn.Linear(16, 1)
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10)
    data = batches(*train, batch_size=8, shuffle=True, seed=0)
    return model, optimizer, scheduler, data


def go_on(run, epochs):
    model, optimizer, scheduler, data = run
    losses = []
    for _ in range(epochs):
        how = {"loss_fn": nn.L1Loss(), "optimizer": optimizer}
        losses.append(train_epoch(model, data, **how))
        scheduler.step()
    return losses


never_stopped = new_run()
whole = go_on(never_stopped, 30)

# %% [markdown]
# A second run stops after 15 epochs. These are its six parts.

# %%
stopped = new_run()
first_half = go_on(stopped, 15)
assert first_half == whole[:15]

net, adam, scheduler, data = stopped
parts = {
    "model": net.state_dict(),
    "optimizer": adam.state_dict(),
    "scheduler": scheduler.state_dict(),
    "shuffle": data.generator.get_state(),
    "random": torch.get_rng_state(),
    "epoch": 15,
}
torch.save(parts, "runs/everything.pt")

# %% [markdown]
# `shuffle` is the random generator that draws the order of the batches. `random` is PyTorch's
# global one, which `Dropout` draws from: the CPU's. A GPU has one of its own, with
# `torch.cuda.get_rng_state`; [`save`][workflow.save] keeps both.
#
# ### With too little
#
# First restore the model only, as if the other five parts had been lost.

# %%
saved = torch.load("runs/everything.pt", weights_only=True)
poor = new_run()
poor[0].load_state_dict(saved["model"])
model_only = go_on(poor, 15)
print("as if never stopped:", model_only == whole[15:])

# %%
# alt: Training loss on a logarithmic axis over 30 epochs. The blue curve with circles, never
#   stopped, falls until about epoch 15 and then stays low, going up and down. The grey dashed curve
#   with diamonds sets out at epoch 15 far above it, comes down, jumps up again, and ends near it.
# caption: Never stopped, and resumed from the model only.
fig, ax = plt.subplots()
ax.plot(whole, "o-", ms=4, c="#0072B2", label="never stopped")
after = range(15, 30)
ax.plot(after, model_only, "D--", ms=4, c="gray", label="model only")
ax.set(xlabel="epoch", ylabel="training loss", yscale="log")
ax.legend()

# %% [markdown]
# The weights were right, and yet it is another run. The learning rate began anew at 0.05 where it
# had come down to a tenth of that, and Adam had forgotten its gradients. Here the loss comes down
# again, after epochs spent on nothing else. On a harder problem it need not.
#
# ### With everything
#
# This function restores each part, or all but one.


# %%
def restored(without=None):
    saved = torch.load("runs/everything.pt", weights_only=True)
    model, optimizer, scheduler, data = run = new_run()
    put_back = {
        "model": model.load_state_dict,
        "optimizer": optimizer.load_state_dict,
        "scheduler": scheduler.load_state_dict,
        "shuffle": data.generator.set_state,
        "random": torch.set_rng_state,
    }
    for part, into in put_back.items():
        if part != without:
            into(saved[part])
    return run, saved["epoch"]


resumed, epoch = restored()
second_half = go_on(resumed, 30 - epoch)
assert second_half == whole[15:]
mine, theirs = resumed[0].state_dict(), never_stopped[0].state_dict()
assert all(torch.equal(mine[name], theirs[name]) for name in theirs)

# %% [markdown]
# Not nearly the same: the same, each loss and each weight to the last bit. Now leave out one part
# at a time.

# %%
for part in ["model", "optimizer", "scheduler", "shuffle", "random"]:
    run, epoch = restored(without=part)
    same = go_on(run, 30 - epoch) == whole[15:]
    print(f"without {part:9} {same}")

# %% [markdown]
# Each is needed. The epoch is too: without it you don't know how many are left.
#
# ### With the package
#
# Give [`fit`][workflow.fit] a `folder`, and it writes all of this to `last.pt`: at the end, and as
# often before as costs little time, or as `save_every=` says. To go on, build the same objects,
# `load` into them, and say where to `start`. `epochs` counts from the beginning, the 15 that are
# done included. The global random state comes back whenever `load` is given an optimizer.


# %%
def fit_from(run, start, epochs):
    net, adam, scheduler, data = run
    how = {"loss_fn": nn.L1Loss(), "optimizer": adam, "scheduler": scheduler}
    how |= {"start": start, "epochs": epochs, "folder": "runs/fit"}
    return fit(net, data, **how)


history = fit_from(new_run(), start=0, epochs=15)
assert [epoch.train_loss for epoch in history] == whole[:15]

net, adam, scheduler, data = run = new_run()  # as in a new process
others = {"scheduler": scheduler, "generator": data.generator}
checkpoint = load("runs/fit/last.pt", net, adam, **others)
history = fit_from(run, start=checkpoint.epoch, epochs=30)
assert [epoch.train_loss for epoch in history] == whole
mine = net.state_dict()
assert all(torch.equal(mine[name], theirs[name]) for name in theirs)

# %% [markdown]
# ### Pull the plug
#
# On [the page before](index.md#pull-the-plug) you can stop a run after every fourth epoch and
# resume it in three ways. On the website, its numbers are made here. The run is our line, with
# Adam, a learning rate that comes down along a cosine, and shuffled batches.

# %% tags=["collapse"]
# publish: resume
# alt: Training loss on a logarithmic axis over 40 epochs. The dashed curve, never stopped, falls
#   to a hundred-thousandth. Two more curves leave it at epoch 20. The one from the model only
#   jumps up, and both end far above the dashed one.
# caption: Resumed after epoch 20. From everything, it would lie on the dashed curve. With
#   JavaScript, you choose where the run stops and what the checkpoint holds.
WAYS = {"model": ["model"], "optimizer": ["model", "optimizer"]}
WAYS["everything"] = ["model", "optimizer", "scheduler", "generator"]
l1 = nn.L1Loss()


def line_run():
    torch.manual_seed(42)
    line = LinearRegressionModel()
    adam = torch.optim.Adam(line.parameters(), lr=0.02)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 40)
    data = batches(*train, batch_size=8, shuffle=True)
    parts = {"model": line, "optimizer": adam}
    parts |= {"scheduler": cosine, "generator": data.generator}
    return data, parts


def follow(run, start, epochs):
    data, parts = run
    line = parts["model"]
    losses, weights = [], []

    def note(epoch):
        losses.append(evaluate(line, train, loss_fn=l1)["loss"])
        weights.append(torch.cat([line.weights, line.bias]).detach())

    how = {key: parts[key] for key in ["optimizer", "scheduler"]}
    how |= {"start": start, "epochs": epochs, "on_epoch": note}
    fit(line, data, loss_fn=l1, **how)
    return losses, weights


def rounded(values):
    return [round(value, 6) for value in values]


never, path = follow(line_run(), 0, 40)
resume = {"never": rounded(never), "rate": [], "model": [], "optimizer": []}
fig, ax = plt.subplots()
ax.plot(range(1, 41), never, "--", c="gray", label="never stopped")

stopped = line_run()
for stop in range(4, 40, 4):
    follow(stopped, stop - 4, stop)
    save("runs/plug.pt", **stopped[1], epoch=stop)
    resume["rate"] += rounded(stopped[1]["scheduler"].get_last_lr())
    for way, names in WAYS.items():
        again = line_run()
        load("runs/plug.pt", **{name: again[1][name] for name in names})
        losses, weights = follow(again, stop, 40)
        pairs = list(zip(weights, path[stop:], strict=True))
        if way == "everything":
            assert losses == never[stop:]
            assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
            continue
        apart = [(mine - theirs).abs().max().item() for mine, theirs in pairs]
        resume[way].append({"loss": rounded(losses), "apart": rounded(apart)})
        if stop == 20:
            style = {"ls": "-" if way == "model" else ":", "c": "#0072B2"}
            ax.plot(range(21, 41), losses, **style, label=" and ".join(names))

ax.set(xlabel="epoch", ylabel="training loss", yscale="log")
ax.legend()
print(json.dumps(resume))

# %% [markdown]
# ## Best against last
#
# Beside `last.pt`, `fit` keeps `best.pt`: the weights with the lowest validation loss. To see them
# differ, let a network that is too large learn a noisy line for too long.

# %%
noisy = make_line(noise=0.2, seed=0)
noisy_train, noisy_validation, _ = split(*noisy, fractions=(0.4, 0.3, 0.3), seed=0)
mse = nn.MSELoss()

torch.manual_seed(0)
net = MLP(1, (32, 32), 1)
adam = torch.optim.Adam(net.parameters(), lr=0.01)

lowest = float("inf")
for epoch in range(150):
    train_epoch(net, noisy_train, loss_fn=mse, optimizer=adam)
    loss = evaluate(net, noisy_validation, loss_fn=mse)["loss"]
    if loss < lowest:
        lowest, best_epoch = loss, epoch
        best = copy.deepcopy(net.state_dict())  # a copy, not an alias
print(f"lowest in epoch {best_epoch}: {lowest:.4f}; last: {loss:.4f}")

# %%
# alt: Training loss and validation loss over 150 epochs. Both fall steeply and swing a little. From
#   epoch 20 on the blue training loss stays low. The dashed purple validation loss is lowest at a
#   triangle near epoch 20, then rises and stays higher.
# caption: The triangle is the best epoch by validation loss; the last one is at the right edge.
torch.manual_seed(0)
net = MLP(1, (32, 32), 1)
adam = torch.optim.Adam(net.parameters(), lr=0.01)
how = {"loss_fn": mse, "optimizer": adam, "folder": "runs/noisy"}
history = fit(net, noisy_train, noisy_validation, epochs=150, **how)
ax = plot_history(history)
ax.set_ylim(0, 0.2)
ax.plot(best_epoch, lowest, "^", c="#AA4499")

# %% [markdown]
# `fit` kept the same weights as the loop by hand. Are they the better ones? Fifteen points of
# validation data chose them, so ask a thousand new points, which had no part in the choice. On
# each of them, how much less does the best miss than the last, squared? The mean of that comes
# with its standard error: the standard deviation over the root of their number.

# %%
X_new, y_new = make_line(0, 1, 0.001, noise=0.2, seed=1)
squares = {}
for name in ["best", "last"]:
    load(f"runs/noisy/{name}.pt", net)
    squares[name] = (predict(net, X_new) - y_new).square()
    print(f"{name}: {squares[name].mean():.4f}")
gain = squares["last"] - squares["best"]
print(f"gain: {gain.mean():.4f}, give or take {gain.std() / len(gain) ** 0.5:.4f}")
assert gain.mean() > 4 * gain.std() / len(gain) ** 0.5

saved = read_checkpoint("runs/noisy/best.pt")
assert saved["metadata"]["epoch"] == best_epoch
for name, tensor in best.items():
    assert torch.equal(saved["model"][name], tensor)

# %% [markdown]
# Use `best.pt` to predict, and `last.pt` to go on. The best has no optimizer in it, so it can't
# continue a run.
#
# ## What is in the file
#
# [`read_checkpoint`][workflow.read_checkpoint] opens a checkpoint without a model. It is a plain
# dictionary, so `torch.load` reads it too, where the package isn't installed.

# %%
contents = read_checkpoint("runs/packaged.pt")
print(", ".join(contents))
print("metadata:", contents["metadata"])
print("versions of", " and ".join(contents["versions"]))

# %% [markdown]
# `metadata` is yours: write down what you will ask in a year, such as the data, the seed and the
# loss. `versions` tells which torch and which package wrote the file.
#
# ## When it doesn't load
#
# A computer that goes down while it writes leaves half a file. This is what PyTorch says about
# one, and what `load` says.

# %%
content = Path("runs/packaged.pt").read_bytes()
Path("runs/half.pt").write_bytes(content[: len(content) // 2])

try:
    torch.load("runs/half.pt", weights_only=True)
except RuntimeError as error:
    print(str(error).partition(". ")[0])

try:
    load("runs/half.pt", packaged)
except CheckpointError as error:
    print(error)

# %% [markdown]
# What is lost is lost; the cure is to never have only half a file. Write to a second name first.
# Renaming is one step for the file system: the old file is there or the new one, nothing between.

# %%
target = Path("runs/safe.pt")
temporary = target.with_name("safe.pt.new")
torch.save(model.state_dict(), temporary)
temporary.replace(target)
assert torch.equal(torch.load(target)["weights"], model.weights)

# %% [markdown]
# `save` does that each time. The other common failure is a model that isn't built as the
# saved one was. The message names every difference, and the model stays as it was.

# %%
save("runs/small.pt", MLP(1, 8, 1))
wider = MLP(1, 16, 1)
before = copy.deepcopy(wider.state_dict())
try:
    load("runs/small.pt", wider)
except CheckpointError as error:
    print(error)

after = wider.state_dict()
assert all(torch.equal(before[name], after[name]) for name in after)

# %% [markdown]
# The cure: build it with the old sizes. If they are in `metadata`, you can look them up.
#
# You can now keep a run, trust the file and go on from it. [The next stage](../together/index.md)
# puts all of this course together.

# %% tags=["collapse"]
# publish: checkpoints
# Numbers for the questions on the page before.
torch.manual_seed(42)
moving = LinearRegressionModel()
sgd = torch.optim.SGD(moving.parameters(), lr=0.01)
alias = moving.state_dict()
start = alias["weights"].item()
fit(moving, train, loss_fn=nn.L1Loss(), optimizer=sgd, epochs=100)

moving.eval()
rebuilt = LinearRegressionModel()
rebuilt.load_state_dict(moving.state_dict())

torch.save(moving, "runs/object.pt")
try:
    torch.load("runs/object.pt")
except UnpicklingError as error:
    refusal = type(error).__name__

renamed = nn.Linear(1, 1)
random = renamed.weight.item()
renamed.load_state_dict({"w": torch.ones(1, 1), "bias": torch.ones(1)}, strict=False)

numbers = {
    "start": f"{start:.4f}",
    "alias": f"{alias['weights'].item():.4f}",
    "moved": f"{state['weights'].item():.4f}",
    "training": str(rebuilt.training),
    "refusal": refusal,
    "never": f"{whole[15]:.4f}",
    "resumed": f"{model_only[0]:.4f}",
    "random": f"{random:.4f}".replace("-", "−"),
    "loaded": f"{renamed.weight.item():.4f}".replace("-", "−"),
}
print(json.dumps(numbers))

# %% [markdown]
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# This note about a run can't be loaded with `weights_only=True`. Say the same with values that can.

# %% tags=["solution"]
# starter: note = {"data": Path("flats.csv"), "lr": 0.01, "loss": nn.L1Loss()}
note = {"data": "flats.csv", "lr": 0.01, "loss": "L1"}


# %% tags=["check"]
def plain(value):
    torch.save(value, "runs/value.pt")
    try:
        torch.load("runs/value.pt", weights_only=True)
    except UnpicklingError:
        return False
    return True


said = dict(note) if isinstance(note, dict) else {}
silent = [key for key in ("data", "lr", "loss") if said.get(key) in (None, "", [], {})]
if not isinstance(note, dict):
    print("Not yet: note should be a dictionary, not a", type(note).__name__)
elif refused := [key for key, value in said.items() if not plain(value)]:
    print("Not yet: no number, text, list or dictionary is", " and ".join(refused))
elif silent:
    print("Not yet: it doesn't say any more:", silent[0])
elif "flats" not in str(said["data"]) or str(said["lr"]) != "0.01":
    print("Not yet: it should say the same as before of data and lr.")
elif not any(word in str(said["loss"]).lower() for word in ("l1", "mae", "absolute")):
    print("Not yet: which loss was it?")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# What would you write on paper?

# %% [markdown] tags=["solution"]
# A path and a loss are objects of some class, which a pickle would have to build by calling code. A
# text says the same and runs nothing.

# %% [markdown] tags=["exercise"]
# The line $y = -2x + 5$, and a learning rate so high that the loss goes up and down. This loop
# means to keep the weights with the lowest loss, and doesn't. Mend it.

# %% tags=["solution"]
torch.manual_seed(1)
steep = nn.Linear(1, 1)
pairs, l1 = make_line(weight=-2, bias=5), nn.L1Loss()
sgd = torch.optim.SGD(steep.parameters(), lr=0.5)

lowest = float("inf")
for _ in range(50):
    train_epoch(steep, pairs, loss_fn=l1, optimizer=sgd)
    loss = evaluate(steep, pairs, loss_fn=l1)["loss"]
    if loss < lowest:
        lowest = loss
        # starter: kept = steep.state_dict()
        kept = copy.deepcopy(steep.state_dict())

# %% tags=["check"]
judge = nn.Linear(1, 1)
names = list(judge.state_dict())
if not isinstance(kept, dict) or list(kept) != names:
    print("Not yet: kept should be a state dict, with", " and ".join(names))
elif not all(isinstance(value, torch.Tensor) for value in kept.values()):
    print("Not yet: keep tensors, as they are in a state dict.")
else:
    judge.load_state_dict(kept)
    loss = evaluate(judge, pairs, loss_fn=l1)["loss"]
    if loss == lowest:
        print("Right.")
    elif kept["weight"].data_ptr() == steep.weight.data_ptr():
        print(f"Not yet: lowest was {lowest:.4f}, yours has {loss:.4f}: an alias.")
    else:
        print(f"Not yet: lowest was {lowest:.4f}, yours has {loss:.4f}.")

# %% [markdown] tags=["hint"]
# [It moves with the model](#it-moves-with-the-model).

# %% [markdown] tags=["solution"]
# Without a copy, `kept` is the model's own memory, and holds the weights of the last epoch.
# `.copy()` won't do: it copies the dictionary, not the tensors in it.

# %% [markdown] tags=["exercise"]
# Somebody trained this network for flats in a wrapper, which put `module.` before each name. Load
# the weights into `plain_net`.

# %% tags=["solution"]
trained = MLP(3, 8, 1)
wrapped = {f"module.{name}": tensor for name, tensor in trained.state_dict().items()}
plain_net = MLP(3, 8, 1)
# starter: plain_net.load_state_dict(wrapped, strict=False)
renamed = {name.removeprefix("module."): tensor for name, tensor in wrapped.items()}
plain_net.load_state_dict(renamed)

# %% tags=["check"]
theirs = trained.state_dict()
mine = plain_net.state_dict() if isinstance(plain_net, MLP) else {}
same = [name for name in theirs if name in mine and torch.equal(mine[name], theirs[name])]
if not mine:
    print("Not yet: plain_net should stay an MLP; it is a", type(plain_net).__name__)
elif any(mine[name].data_ptr() == theirs[name].data_ptr() for name in mine):
    print("Not yet: its weights are the trained network's own, not a copy.")
elif len(same) == len(theirs):
    print("Right.")
elif same:
    print("Not yet: loaded only", ", ".join(same))
else:
    print("Not yet: nothing was loaded, and nobody complained.")

# %% [markdown] tags=["hint"]
# A state dict is a dictionary: make one with other names. Then leave `strict` alone.

# %% [markdown] tags=["solution"]
# With `strict=False`, names that don't match are passed over, here all of them. Rename, and let
# `load_state_dict` check that none is missing.

# %% [markdown] tags=["exercise"]
# `runs/fit/last.pt` holds a run of 30 epochs. Load it into a new run and train to epoch 40, with
# `go_on`. Put the losses of the ten new epochs into `more`.

# %% tags=["solution"]
longer = new_run()
# starter: more = []
net, adam, scheduler, data = longer
others = {"scheduler": scheduler, "generator": data.generator}
load("runs/fit/last.pt", net, adam, **others)
more = go_on(longer, 10)

# %% tags=["check"]
expected = go_on(new_run(), 40)
if not isinstance(more, list):
    print("Not yet: more should be a list of losses, not a", type(more).__name__)
elif len(more) != 10:
    print("Not yet: there should be 10 losses, not", len(more))
elif more == expected[:10]:
    print("Not yet: that run began anew. Was anything loaded?")
elif longer[2].last_epoch not in (0, 40):  # 0: you trained a run of another name
    print("Not yet: the scheduler is at epoch", longer[2].last_epoch)
elif more != expected[30:]:
    print("Not yet: it is another run. Were the batches in the same order?")
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# [With the package](#with-the-package), four lines do it. The batches' generator is one of them.

# %% [markdown] tags=["solution"]
# `load` restores the model, the optimizer and the random state; the scheduler and the generator
# only if they are handed over. Then `go_on` can't tell that there was a stop.

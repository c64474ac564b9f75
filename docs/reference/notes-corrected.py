# ---
# description: What study notes on this workflow get wrong, each claim put right and proved.
# given: [0.7, 0.3, 0.0001]
# ---

# %% [markdown]
# # The notes, corrected
#
# About 18 minutes.
#
# This course covers what five people wrote down while they learned this subject. Notes hold
# mistakes, and these travel: you will meet most of them elsewhere. **Each heading in quotation
# marks is wrong or incomplete.** Below it stands what is true, and a cell that proves it.
#
# It is a page to look things up in, after the stages or beside them. Every cell uses the line of
# the course: 50 points of $y = 0.7x + 0.3$, the first 40 for training.

# %%
from itertools import pairwise

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from workflow import (
    LinearRegressionModel,
    evaluate,
    fit,
    make_line,
    split,
)

X, y = make_line()
train, test = split(X, y, fractions=(0.8, 0.2), shuffle=False)
X_train, y_train = train
X_test, y_test = test
L1, MSE = nn.L1Loss(), nn.MSELoss()


def trained(make_model, epochs, loss_fn=L1, lr=0.01):
    """Give the model, and its training loss in each epoch."""
    torch.manual_seed(42)
    model = make_model()
    sgd = torch.optim.SGD(model.parameters(), lr=lr)
    history = fit(model, train, loss_fn=loss_fn, optimizer=sgd, epochs=epochs)
    return model, [epoch.train_loss for epoch in history]


def layer():  # the same line, as a layer of PyTorch
    return nn.Linear(1, 1)


# %% [markdown]
# ## Data
#
# Taught in [Data](../data/index.md) and [its tutorial](../data/tutorial.py).
#
# ### “One kind of data is called NDA”
#
# **Myth.** Among the things that become numbers are NDA sequences.
#
# **Fact.** The word is DNA, a string of the letters A, C, G and T. Each letter gets a column.

# %%
one_hot = [[int(base == letter) for letter in "ACGT"] for base in "GAT"]
print(torch.tensor(one_hot))

# %% [markdown]
# ### “The test set is 100 to 20% of the data”
#
# **Myth.** Up to all of the data can be test data.
#
# **Fact.** A slip for 10 to 20%. A test on everything leaves nothing to learn from.

# %%
for share in (1.0, 0.2, 0.1):
    left = len(X) - round(share * len(X))
    print(f"a test of {share:.0%} leaves {left} of {len(X)} points")

# %% [markdown]
# ### “`X[:10], y[:10]` prints all the data”
#
# **Myth.** This line shows every example.
#
# **Fact.** It shows ten rows. Print the shape as well.

# %%
print(len(X[:10]), "of", len(X), "rows")

# %% [markdown]
# ### “Start, end and step say how many points there are”
#
# **Myth.** From 1 to 1.3 in steps of 0.1 there are three numbers, without the end.
#
# **Fact.** 0.1 and 1.3 are stored only nearly, and `arange` makes four.

# %%
print(torch.arange(1, 1.3, 0.1))

# %% [markdown]
# ### “`int(share * n)` counts the examples of a share”
#
# **Myth.** The cut between two sets is safe to compute with `int`.
#
# **Fact.** It works for 80% of 50. But `int` cuts off, and a product can fall just below a whole
# number, so round instead.

# %%
print("80% of 50: ", int(0.8 * 50))
print("29% of 100:", int(0.29 * 100), "cut off,", round(0.29 * 100), "rounded")

# %% [markdown]
# ### “How you split only decides how many points are tested”
#
# **Myth.** Taking the last 20% is as good as taking any.
#
# **Fact.** On sorted points it asks about *x* of 0.8 and more, which training never saw. That is
# extrapolation. A shuffled split asks about points in between.

# %%
print(f"training up to {X_train.max():.2f}, test from {X_test.min():.2f}")

# %% [markdown]
# ### “Defaults like `train_data=X_train` follow the data”
#
# **Myth.** A plot function whose defaults are the data shows the current split.
#
# **Fact.** Python binds defaults once, at the `def`. After a new split it shows the old one.

# %%
points = X[:40]


def shown(data=points):
    return len(data)


points = X[:30]
print(shown(), "by default,", shown(points), "when told")

# %% [markdown]
# ## Models
#
# Taught in [Models](../models/index.md) and [its tutorial](../models/tutorial.py).
#
# ### “Training goes from unknown parameters to known ones”
#
# **Myth.** The start values are unknown, the final ones known.
#
# **Fact.** The start values are random, and you can print them. Unknown are the ideal ones, unless
# you made the data yourself, as here.

# %%
torch.manual_seed(42)
model = LinearRegressionModel()
weight, bias = model.weights.item(), model.bias.item()
print(f"start: weight {weight:.4f}, bias {bias:.4f}")

# %% [markdown]
# ### “`model.parameter()` gives the parameters”
#
# **Myth.** That is what you hand to the optimizer.
#
# **Fact.** The method is `parameters()`.

# %% tags=["raises-exception"]
print(len(list(model.parameters())), "parameters")
model.parameter()

# %% [markdown]
# ### “`forward` is one of four essential modules”
#
# **Myth.** You build with `torch.nn`, `nn.Parameter`, `nn.Module`, `torch.optim`, and a part
# called `forward`.
#
# **Fact.** `forward` is a method that you write in your module. What the list forgets is
# `Dataset` and `DataLoader`, which hand out the examples.

# %%
print("forward, in our class:", type(vars(LinearRegressionModel)["forward"]))
loader = DataLoader(TensorDataset(*train), batch_size=16)
print([len(X_batch) for X_batch, _ in loader], "examples in each batch")

# %% [markdown]
# ### “Every `nn.Module` must have a `forward`”
#
# **Myth.** Without `forward` there is no module.
#
# **Fact.** It is needed only if the module is called. `nn.ModuleList` has none: it keeps layers,
# and does so well until someone calls it.

# %% tags=["raises-exception"]
layers = nn.ModuleList([nn.Linear(1, 4), nn.Linear(4, 1)])
print(len(list(layers.parameters())), "parameters")
layers(X_train)

# %% [markdown]
# ### “The type of `x` is `torch.tensor`”
#
# **Myth.** One writes `def forward(self, x: torch.tensor)`.
#
# **Fact.** `torch.tensor` is a function that makes tensors; the type is `torch.Tensor`. Python
# doesn't check annotations, so the slip stays unnoticed.

# %%
print("torch.tensor is a type:", isinstance(torch.tensor, type))
print("torch.Tensor is a type:", isinstance(torch.Tensor, type))

# %% [markdown]
# ### “A parameter needs `requires_grad=True`”
#
# **Myth.** `randn` must be told that its numbers will learn.
#
# **Fact.** `nn.Parameter` requires gradients by itself, whatever the tensor inside it said.

# %%
told_not_to = torch.randn(1, requires_grad=False)
print(nn.Parameter(told_not_to))

# %% [markdown]
# ### “`model.forward(X)` is how to predict”
#
# **Myth.** Calling `forward` or calling the model comes to the same.
#
# **Fact.** The numbers are the same, but `forward` skips the hooks, functions that watch a module.
# Write `model(X)`, after `model.eval()`.

# %%
hook = model.register_forward_hook(lambda *_: print("the hook ran"))
print("forward:")
model.forward(X_test)
print("call:")
model(X_test)
hook.remove()

# %% [markdown]
# ## Training
#
# Taught in [Training](../training/index.md) and [its tutorial](../training/tutorial.py); choosing
# settings in [Experiments](../experiments/index.md).
#
# ### “MSE is L2”
#
# **Myth.** MAE is L1, and MSE is the L2 norm.
#
# **Fact.** MSE is the *mean* of the squares, without the root that the norm takes. `L1Loss` is a
# mean too, namely MAE.

# %%
errors, zeros = torch.tensor([3.0, 4.0]), torch.zeros(2)
print("MAE", L1(errors, zeros).item(), "  L1 norm", errors.norm(p=1).item())
print("MSE", MSE(errors, zeros).item(), " L2 norm", errors.norm(p=2).item())

# %% [markdown]
# ### “Which losses are common is an open question”
#
# **Myth.** Which loss functions are usual is left blank, as if it couldn't be said.
#
# **Fact.** A few serve most tasks: `L1Loss` and `MSELoss` for numbers, `BCEWithLogitsLoss` for yes
# or no, `CrossEntropyLoss` for one class of many. Common learning rates run from 0.1 down
# to 0.0001, and which one is too large depends on the loss.

# %%
for lr in (0.01, 0.1, 1.0):
    for loss_fn in (L1, MSE):
        model, _ = trained(LinearRegressionModel, 100, loss_fn, lr)
        loss = evaluate(model, train, loss_fn=loss_fn)["loss"]
        print(f"{type(loss_fn).__name__} with lr {lr}: {loss:.2g}")

# %% [markdown]
# ### “A number is predicted, so the loss is MAE”
#
# **Myth.** Predicting a number decides the loss.
#
# **Fact.** It is a choice, and MSE is as usual. For the values 1, 2 and 9, MAE prefers the median,
# 2, and MSE the mean, 4.

# %%
values = torch.tensor([1.0, 2.0, 9.0])
for guess in torch.tensor([2.0, 4.0]).split(1):
    answer = guess.expand(3)
    mae, mse = L1(answer, values), MSE(answer, values)
    print(f"{answer.tolist()}: MAE {mae:.2f}, MSE {mse:.2f}")

# %% [markdown]
# ### “L1 with SGD is the ideal setup for regression”
#
# **Myth.** For predicting numbers there is no better pair.
#
# **Fact.** On this very line MSE, with a larger step, comes hundreds of times closer, as L1 ends in
# a cycle. (Where a few labels are far off, L1 can be the better one.) Measured by MAE, so that the
# two can be compared:

# %%
by_l1, _ = trained(layer, 1000, L1)
by_mse, losses = trained(layer, 1000, MSE, lr=0.1)
far = evaluate(by_l1, train, loss_fn=L1)["loss"]
near = evaluate(by_mse, train, loss_fn=L1)["loss"]
print(f"trained with L1: {far:.6f}, with MSE: {near:.6f}")
assert far > 300 * near
assert losses[-1] < 2e-11

# %% [markdown]
# ### “The loop goes through the data”
#
# **Myth.** Step 0 walks over the examples, one after the other.
#
# **Fact.** It counts epochs. Each forward pass takes all 40 points at once, so what is called SGD
# is plain gradient descent here: weight minus learning rate times gradient, without chance.

# %%
torch.manual_seed(42)
model = LinearRegressionModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
loss = L1(model(X_train), y_train)
loss.backward()
by_hand = model.weights - 0.01 * model.weights.grad
optimizer.step()
assert torch.equal(model.weights, by_hand)

# %% [markdown]
# ### “Optimizers improve gradient descent”
#
# **Myth.** The optimizer makes gradient descent better, and in step 5 it is updated.
#
# **Fact.** The optimizer *performs* gradient descent: it updates the parameters, to bring the
# loss down. SGD without momentum keeps nothing from one step to the next.

# %%
after = L1(model(X_train), y_train)
print(f"before the step {loss:.5f}, after it {after:.5f}")
assert not optimizer.state

# %% [markdown]
# ### “`zero_grad` sets the optimizer to zero”
#
# **Myth.** Step 3 resets the optimizer.
#
# **Fact.** It clears the `.grad` of each parameter, by default to `None`. The optimizer keeps
# its settings, and the parameters keep their values.

# %%
before = model.weights.item()
optimizer.zero_grad()
print("grad", model.weights.grad, "and lr", optimizer.param_groups[0]["lr"])
assert model.weights.item() == before

# %% [markdown]
# ### “`lr` is the hyperparameter”
#
# **Myth.** The learning rate is the number that you set, and the only one.
#
# **Fact.** Whatever you set before training is a hyperparameter: epochs, batch size, loss,
# layers. The optimizer alone has several.

# %%
settings = optimizer.defaults.items()
print([name for name, value in settings if type(value) in (int, float)])

# %% [markdown]
# ### “Labels must be cast before the test loss”
#
# **Myth.** Without `.type(torch.float)` the loss would fail.
#
# **Fact.** Labels and predictions are `float32` already. Were they not, L1 and MSE would promote
# them to the wider type. `.float()` is needed where labels are whole numbers and the loss is BCE.

# %%
print("labels", y_test.dtype, "and predictions", model(X_test).dtype)
print("labels of float64, loss", L1(model(X_test), y_test.double()).dtype)

# %% [markdown]
# ### “`manual_seed` before the loop makes training repeatable”
#
# **Myth.** A seed right above the loop fixes the outcome.
#
# **Fact.** Nothing random happens after it here. Seed before the model is built, as that draws
# the start values.

# %%
ends = []
for seed in (1, 2):
    torch.manual_seed(42)
    model = LinearRegressionModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    torch.manual_seed(seed)
    fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=10)
    ends.append(model.weights.item())
assert ends[0] == ends[1]

# %% [markdown]
# ### “`train()` makes the parameters require gradients”
#
# **Myth.** Train mode switches gradients on.
#
# **Fact.** It sets `training`, which layers such as Dropout and BatchNorm read. A frozen
# parameter stays frozen.

# %%
model.requires_grad_(False)
model.train()
print(f"{model.training = }, {model.weights.requires_grad = }")

# %% [markdown]
# ### “`eval()` switches gradients off”
#
# **Myth.** In eval mode nothing is recorded.
#
# **Fact.** Only `training` changes. `backward` works as before.

# %%
model.requires_grad_(True)
model.eval()
L1(model(X_train), y_train).backward()
print(f"{model.training = }, {model.weights.grad = }")

# %% [markdown]
# ### “The loss goes down with every epoch”
#
# **Myth.** Each epoch is better than the one before.
#
# **Fact.** True for the first 100 epochs here, false in general. In 1000 epochs it rises often.

# %%
_, losses = trained(layer, 1000)


def rises(losses):
    return sum(after > before for before, after in pairwise(losses))


print("rose in", rises(losses[:100]), "of the first 100 epochs")
print("rose in", rises(losses), "of 1000")
assert rises(losses) == 443

# %% [markdown]
# ### “The longer we train, the closer we get”
#
# **Myth.** More epochs bring weight and bias ever nearer to 0.7 and 0.3.
#
# **Fact.** From 200 to 300 epochs nothing is gained at all.

# %%
for epochs in (100, 200, 300):
    model, _ = trained(LinearRegressionModel, epochs)
    weight, bias = model.weights.item(), model.bias.item()
    print(f"{epochs} epochs: {weight:.4f}, {bias:.4f}")

# %% [markdown]
# ### “With a fixed learning rate, L1 and SGD converge”
#
# **Myth.** Close to the minimum, the steps get smaller by themselves.
#
# **Fact.** Each point pulls with a slope of 1, up or down, however near it is. The gradient is the
# mean of these pulls. It needn't get smaller towards the goal, so the step leads over it and back,
# in the end in an [exact cycle of two](../training/tutorial.py#train-longer). A learning rate that
# falls over time ends it.

# %%
print("best epoch", losses.index(min(losses)))
print("last losses", [f"{loss:.5f}" for loss in losses[-4:]])
assert len(set(losses[200::2])) == len(set(losses[201::2])) == 1

# %%
torch.manual_seed(42)
model = layer()
sgd = torch.optim.SGD(model.parameters(), lr=0.01)
falling = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=1000)
fit(model, train, loss_fn=L1, optimizer=sgd, epochs=1000, scheduler=falling)
weight, bias = model.weight.item(), model.bias.item()
print(f"with a falling rate: {weight:.4f} {bias:.4f}")

# %% [markdown]
# ### “Printing every 100th epoch shows what happens”
#
# **Myth.** A few printed losses tell the story.
#
# **Fact.** In a cycle of two, all even epochs look alike: you see one phase and take it for rest.
# Draw every epoch.

# %%
print("every 100th:  ", [f"{loss:.5f}" for loss in losses[200::100]][:3])
print("one epoch on: ", [f"{loss:.5f}" for loss in losses[201::100]][:3])

# %% [markdown]
# ## Evaluation and inference
#
# Taught in [Models](../models/tutorial.py), where the first predictions are made, and in
# [Evaluation](../evaluation/index.md).
#
# ### “Both losses of an epoch belong to one model”
#
# **Myth.** Train loss and test loss on a printed line describe the same weights.
#
# **Fact.** The train loss is measured *before* the step, the test loss *after* it. Score the
# final weights again when training is over.

# %%
torch.manual_seed(42)
model = LinearRegressionModel()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
[epoch] = fit(model, train, test, loss_fn=L1, optimizer=optimizer, epochs=1)
print(f"train loss of the epoch: {epoch.train_loss:.5f}")
print(f"test loss of the epoch: {epoch.validation_loss:.5f}")
print(f"train loss of the new weights: {L1(model(X_train), y_train):.5f}")

# %% [markdown]
# ### “`inference_mode` turns `requires_grad` off”
#
# **Myth.** Inside it, parameters no longer require gradients.
#
# **Fact.** It stops autograd from recording. The parameters keep `requires_grad=True`; only the
# outputs lack it.

# %%
with torch.inference_mode():
    y_pred = model(X_test)
print(f"{model.weights.requires_grad = }, {y_pred.requires_grad = }")

# %% [markdown]
# ### “Without `inference_mode`, predicting does gradient descent”
#
# **Myth.** Inference mode is what keeps a prediction from training the model.
#
# **Fact.** Predicting never moves a parameter. Outside, PyTorch only notes how to find gradients,
# which costs time and memory.

# %%
before = model.weights.item()
recorded = model(X_test)
assert model.weights.item() == before
print(f"{recorded.requires_grad = }, {y_pred.requires_grad = }")

# %% [markdown]
# ### “`no_grad` and `inference_mode` are the same”
#
# **Myth.** Either name will do everywhere.
#
# **Fact.** Neither records, but what `no_grad` returns may enter autograd again. An inference
# tensor may not where `backward` would have to keep it: here, as a factor of what is learned.

# %% tags=["raises-exception"]
with torch.no_grad():
    scale = model(X_test)
(scale * model.weights).sum().backward()
print("no_grad: fine")

with torch.inference_mode():
    scale = model(X_test)
(scale * model.weights).sum().backward()

# %% [markdown]
# ### “`inference_mode` should always be used”
#
# **Myth.** Whatever isn't training belongs in inference mode.
#
# **Fact.** Not where the outputs go on into training, as from a frozen first part. Use `no_grad`
# there, or freeze the part.

# %%
frozen, head = nn.Linear(1, 4), nn.Linear(4, 1)
with torch.no_grad():
    features = frozen(X_train)
L1(head(features), y_train).backward()
print("a gradient for head:", head.weight.grad is not None)
print("a gradient for frozen:", frozen.weight.grad is not None)

# %% [markdown]
# ### “The song and the code say the same”
#
# **Myth.** The loop does what the song sings, also when testing.
#
# **Fact.** The song has `no_grad`, the code below it `inference_mode`. In a testing loop both are
# right and the numbers equal. The song in [Training](../training/index.md) agrees with its code.

# %%
with torch.no_grad():
    one = model(X_test)
with torch.inference_mode():
    two = model(X_test)
assert torch.equal(one, two)

# %% [markdown]
# ### “There is nothing to say about inference”
#
# **Myth.** The notes end with the title of this part, and nothing below it.
#
# **Fact.** There are three rules: eval mode, inference mode, and data of the model's dtype on the
# model's device.

# %%
model, _ = trained(LinearRegressionModel, 200)
model.eval()
with torch.inference_mode():
    y_pred = model(X_test)
x, answer, right = X_test[-1].item(), y_pred[-1].item(), y_test[-1].item()
print(f"at x = {x:.2f}: {answer:.3f}, right is {right:.3f}")

# %% [markdown]
# ### “Classification takes `BCELoss`”
#
# **Myth.** For classes, put `BCELoss` in place of `L1Loss`.
#
# **Fact.** It is for yes or no only, and wants probabilities. Give raw outputs, called *logits*,
# to `BCEWithLogitsLoss`; for many classes, to `CrossEntropyLoss`.

# %% tags=["raises-exception"]
logits = torch.tensor([2.0, -1.0, 0.5])
labels = torch.tensor([1.0, 0.0, 1.0])
print("yes or no:", nn.BCELoss()(logits.sigmoid(), labels))
print("the same: ", nn.BCEWithLogitsLoss()(logits, labels))
one_row, right_class = logits.unsqueeze(0), torch.tensor([2])
print("one of three:", nn.CrossEntropyLoss()(one_row, right_class))
nn.BCELoss()(logits, labels)

# %% [markdown]
# ## Checkpoints
#
# Taught in [Checkpoints](../checkpoints/index.md) and [its tutorial](../checkpoints/tutorial.py).
#
# ### “`state_dict()` holds the parameters”
#
# **Myth.** It is `parameters()` with names.
#
# **Fact.** It holds persistent buffers too: numbers that a layer keeps and no gradient changes.

# %%
norm = nn.BatchNorm1d(1)
print("parameters:", [name for name, _ in norm.named_parameters()])
print("besides them:", [name for name, _ in norm.named_buffers()])
assert len(norm.state_dict()) == 5

# %% [markdown]
# ### “`best = model.state_dict()` keeps the best model”
#
# **Myth.** What was stored in `best` stays as it was.
#
# **Fact.** Its tensors *are* the live weights, and change with them. Clone each one.

# %%
model = LinearRegressionModel()
best = model.state_dict()
copy = {name: tensor.clone() for name, tensor in best.items()}
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
fit(model, train, loss_fn=L1, optimizer=optimizer, epochs=10)

print("as at first:", torch.equal(best["weights"], copy["weights"]))
assert torch.equal(best["weights"], model.weights)

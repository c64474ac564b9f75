# ---
# description: Turn six kinds of data into tensors, make a line, split it three ways and batch it.
# given: [0.3, 0.78, 255]
# ---

# %% [markdown]
# # Make the data
#
# About 21 minutes.
#
# [The page before](index.md) explains why data becomes numbers and why it is split. Here you do
# both: each step by hand first, then with the `workflow` function that does the same, then with
# an `assert` that the two agree.
#
# These are the tools: `csv` and `math` come with Python, `matplotlib` draws, `torch` is PyTorch,
# and `workflow` is the small package that this course builds.

# %%
import csv
import json
import math

import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader, TensorDataset

from workflow import (
    batches,
    make_line,
    plot_predictions,
    split,
    to_tensor,
)

# %% [markdown]
# ## Anything becomes a tensor
#
# A tensor is a grid of numbers of one type. Its *shape* says how many numbers lie along each
# direction, its *dtype* which type they have. `torch.tensor` makes one from a list. Here is a
# list of two rows, three numbers in each.

# %%
grid = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(grid.shape, grid.dtype)

# %% [markdown]
# `torch.Size` behaves like a tuple, so the shape is (2, 3): two rows, three columns. `float32` is
# a number with a fraction, kept in 32 bits. PyTorch's layers compute in it unless told otherwise.
#
# ### A spreadsheet
#
# Take four flats. Each row is one flat; each column is one thing we know about it. Two columns
# are numbers already, although a file holds them as text. The third says yes or no, which
# becomes 1 or 0.

# %%
sheet = """\
area,rooms,balcony
52.5,2,yes
71.0,3,no
38.0,1,no
104.0,4,yes"""

flats = []
for row in csv.DictReader(sheet.splitlines()):
    balcony = 1 if row["balcony"] == "yes" else 0
    flats.append([float(row["area"]), int(row["rooms"]), balcony])

table = torch.tensor(flats, dtype=torch.float32)
print(table.shape, table.dtype)
print("the first flat:", table[0])

# %% [markdown]
# [`to_tensor`][workflow.to_tensor] does that last step. It takes lists, NumPy arrays and pandas
# tables alike, and it gives fractions the dtype `float32`. (NumPy makes `float64` of them, and
# `torch.tensor` would keep that.)

# %%
assert torch.equal(to_tensor(flats), table)

# %% [markdown]
# What a column *means* is your decision, so a word in a list is an error. The message says where
# the word stands.

# %%
try:
    to_tensor([[52.5, 2, "yes"]])
except TypeError as error:
    print(error)

# %% [markdown]
# ### A picture
#
# A picture is a grid already. Each number says how bright one spot is, a *pixel*. Here 0 is black
# and 9 is white. Photographs usually go from 0 to 255; dividing by the largest that a pixel can
# be brings either to the range from 0 to 1, which suits models better.

# %%
drawing = """\
00000000
00900900
00900900
00000000
50000005
05000050
00555500
00000000"""

digits = [[int(digit) for digit in row] for row in drawing.splitlines()]
picture = torch.tensor(digits) / 9
print(picture.shape, picture.dtype)

# %% [markdown]
# To see it, hand the numbers to matplotlib. It draws NumPy arrays, and `.numpy()` makes one of a
# tensor. `plt.subplots` gives a figure and an `ax`, the frame to draw in.

# %%
# alt: An eight by eight grid of squares. Two white bars are eyes, a grey curve below is a smile,
#   and the rest is black, in the same places as the digits in the code.
# caption: Sixty-four numbers, drawn as brightness.
fig, ax = plt.subplots()
ax.imshow(picture.numpy(), cmap="gray")

# %% [markdown]
# A colour picture is three such grids, one each for red, green and blue. PyTorch puts that
# direction first: three colours, then height, then width.

# %%
red, green, blue = picture, picture, 0 * picture  # no blue: a yellow face
colour_picture = torch.stack([red, green, blue])
print(colour_picture.shape)

# %% [markdown]
# ### A video
#
# A video is pictures in a row, called frames. In these four the right eye fades, which is a slow
# wink: rows 1 and 2 of column 5 get darker. `torch.stack` lays the frames on one another, as it
# did the colours, and so adds a direction at the front.

# %%
frames = []
for brightness in (1.0, 0.6, 0.3, 0.0):
    frame = picture.clone()  # a copy, or all four would be one picture
    frame[1:3, 5] = brightness
    frames.append(frame)

video = torch.stack(frames)
print(video.shape)

# %%
# alt: The same face four times, side by side. Its right eye is white in the first frame, light
#   grey in the second, dark grey in the third, and gone in the fourth.
# caption: Four frames: time is one more direction of the tensor.
fig, axes = plt.subplots(1, 4, figsize=(5, 1.6))
for number, ax in enumerate(axes):
    ax.imshow(video[number].numpy(), cmap="gray")
    ax.set_title(f"frame {number}")
    ax.set_axis_off()

# %% [markdown]
# ### DNA
#
# DNA is a string of four letters. Numbering them 0 to 3 would claim an order, as if T were three
# times C. So each letter gets a column of its own, with 1 in its column and 0 in the others. This
# is called *one-hot*. A comparison is true or false, and `int` makes 1 or 0 of it.

# %%
dna = "GATTACA"
one_hot = [[int(base == letter) for letter in "ACGT"] for base in dna]
sequence = torch.tensor(one_hot)
print(sequence.shape, sequence.dtype)
print(sequence)

# %% [markdown]
# Read it row by row: the first row has its 1 in the third column, so it is G. Whole numbers
# became `int64`, and `to_tensor` leaves them whole as well. Most layers compute with fractions;
# before one of those, write `sequence.float()`.

# %%
assert torch.equal(to_tensor(one_hot), sequence)

# %% [markdown]
# ### Text
#
# Text becomes one number a word. First list the different words, then replace each word by its
# place in that list. The numbers are names here, not amounts: a model for text uses each one to
# look up a row in a table that it learns.

# %%
sentence = "the cat sat on the mat"
words = sentence.split()
vocabulary = sorted(set(words))
numbers = torch.tensor([vocabulary.index(word) for word in words])
print(vocabulary)
print(numbers, numbers.dtype)

# %% [markdown]
# Both times, "the" is the same number. Real systems cut text into pieces of words, tens of
# thousands of different ones, and number those in the same way.
#
# ### Sound
#
# Sound is air pressure, measured many times a second. Each measurement is a *sample*. A pure tone
# is a sine wave; this one swings 440 times a second and is measured 8,000 times a second, for
# half a second.

# %%
rate = 8000
time = torch.arange(rate // 2) / rate  # in seconds
tone = torch.sin(2 * math.pi * 440 * time)
print(tone.shape, tone.dtype)

# %%
# alt: A smooth wave between minus one and one. In the five milliseconds shown it goes up and down
#   a little more than twice.
# caption: The first 40 samples, five milliseconds of the tone; each dot is a sample.
fig, ax = plt.subplots()
ax.plot(1000 * time[:40], tone[:40], ".-", color="gray")
ax.set(xlabel="milliseconds", ylabel="pressure")

# %% [markdown]
# In a notebook a plot shows by itself. In a script of your own, a last line `plt.show()` opens
# them.
#
# Six kinds of data, and each one is now a tensor. From here on nothing depends on where the
# numbers came from.

# %% tags=["collapse"]
# publish: numbers
# alt: Left, a smiling face of white squares on a black grid of eight by eight. Right, the same grid
#   in numbers: 1 where a square is white, else 0.
# caption: A drawing, and the tensor that it is. With JavaScript you draw, write or play something
#   of your own, and see its tensor with the code that makes it.
smile = (picture > 0).int()
fig, (left, right) = plt.subplots(1, 2, figsize=(5, 2.5))
left.imshow(smile.numpy(), cmap="gray")
rows = [" ".join(map(str, row)) for row in smile.tolist()]
right.text(0.5, 0.5, "\n".join(rows), ha="center", va="center", linespacing=1.7)
left.set_axis_off()
right.set_axis_off()

# %% [markdown]
# ## A line with a known answer
#
# Our data for the whole course is a straight line, $y = 0.7x + 0.3$. The two numbers that fix a
# line are its *parameters*: the weight says how steep it is, the bias how high it starts. A model
# will have to find them from the points alone, and because we know them we can tell whether it
# did.
#
# `torch.arange(0, 1, 0.02)` counts from 0 in steps of 0.02 and stops before 1.

# %%
weight, bias = 0.7, 0.3
flat = torch.arange(0, 1, 0.02)
print(flat.shape)

# %% [markdown]
# One direction, 50 numbers. PyTorch's layers want a table instead: one row an example, one column
# a *feature*, which is a thing known about the example. `unsqueeze(1)` turns the row of numbers
# into a table with one column.

# %%
X = flat.unsqueeze(1)
y = weight * X + bias
print(X.shape, y.shape)

# %% [markdown]
# `X` holds the features, what the model is given. `y` holds the *labels*, what it should answer.
# The capital is a habit from mathematics: `X` is a table, even when it has a single column.
#
# `X[:10]` is ten of the rows, not all of them. When you print some, print how many there are as
# well. Here are the first three features, and their labels.

# %%
print("X[:10] is", len(X[:10]), "of", len(X), "rows")
print(X[:3])
print(y[:3])

# %% [markdown]
# Keep both as columns. A column minus a flat tensor raises no error: PyTorch repeats both until
# they fit, which is called *broadcasting*, and gives every label minus every other one.

# %%
print((y - y).shape, "as it should be")
print((y - y.flatten()).shape, "column minus flat,", (y - y.flatten()).numel(), "numbers")

# %% [markdown]
# That is 2,500 differences where there should be 50. If such a thing creeps into training, the
# model learns nonsense, and at best you get a warning. Comparing the shapes first costs one line.
#
# [`make_line`][workflow.make_line] makes the same line in one call. `torch.equal` is true only
# when shape and every number agree.

# %%
X_packaged, y_packaged = make_line(0, 1, 0.02, weight=0.7, bias=0.3)
assert torch.equal(X_packaged, X)
assert torch.equal(y_packaged, y)

# %% [markdown]
# ### Counting in fractions
#
# From 1 in steps of 0.1, stopping before 1.3: that should be 1, 1.1 and 1.2. Count what you get.

# %%
print(torch.arange(1, 1.3, 0.1))
print((1.3 - 1) / 0.1, "steps")

# %% [markdown]
# There are four numbers, and 1.3 is one of them. A computer stores 0.1 and 1.3 only nearly, so
# the number of steps came out a little above 3 and was rounded up. `make_line` allows for that.

# %%
X_short, _ = make_line(1, 1.3, 0.1)
print(X_short.flatten())
assert len(X_short) == 3

# %% [markdown]
# ## Look at the data
#
# Before anything else, draw it. A column in the wrong unit or a label on the wrong row shows in a
# picture at once, and hides well in a table.
#
# `"o"` draws each point as a circle, and `ms` is its size. The circles are grey, as no point has
# a job yet.

# %%
# alt: Fifty grey points in an exact straight line. It starts at height 0.3 on the left, where x is
#   0, and climbs to just under 1 on the right.
# caption: All fifty points, before the split.
fig, ax = plt.subplots()
ax.plot(X, y, "o", ms=4, c="gray")
ax.set(xlabel="x", ylabel="y")

# %% [markdown]
# ## Split it in order
#
# The model will learn from the first 80% of the points, the training data. The other 20% are
# the test data: they are kept back, to see how it does on points that it never saw.

# %%
cut = int(0.8 * len(X))
X_train, y_train = X[:cut], y[:cut]
X_test, y_test = X[cut:], y[cut:]
print(len(X_train), "for training,", len(X_test), "for the test")

# %% [markdown]
# [`split`][workflow.split] returns pairs of features and labels, one pair a part.

# %%
train, test = split(X, y, fractions=(0.8, 0.2), shuffle=False)

by_hand = [X_train, y_train, X_test, y_test]
for packaged, mine in zip([*train, *test], by_hand, strict=True):
    assert torch.equal(packaged, mine)

# %% [markdown]
# Now the points have jobs, so they get colours: training data blue, test data green.
# [`plot_predictions`][workflow.plot_predictions] draws both as you did above, each with a mark of
# its own, and a model's answers as red crosses (in text and drawings they are red diamonds). We
# have no model yet. Let the answer be 0.6 everywhere, to see what a bad one looks like.

# %%
# alt: Forty blue circles climb in a straight line from the lower left to x = 0.78. Ten green
#   squares carry on from 0.8 to the right edge. Ten red crosses lie in a level row at height 0.6,
#   below all the green squares.
# caption: The test begins where the training data ends; the answers here ignore x.
always_the_same = torch.full_like(y_test, 0.6)
ax = plot_predictions(train, test, always_the_same)

# %% [markdown]
# Read it this way: the gap between a red cross and the green square above it is the error of that
# answer. The rest of the course is about closing those gaps.
#
# ### A plot that remembers
#
# One trap, if you write such a function yourself. It is tempting to give the data as default
# arguments. Python reads defaults once, when it meets the `def`.

# %%
points = [1, 2, 3]


def count(data=points):
    return len(data)


points = [1, 2, 3, 4, 5]
print(count(), "by default,", count(points), "when told")

# %% [markdown]
# The default still is the old list. A plot function written like that goes on drawing the old
# split after you made a new one. `plot_predictions` has no such defaults; you always say what to
# draw.
#
# ## Shares and whole examples
#
# Is `int(share * n)` a safe way to count? Take 29% of 100 examples.

# %%
print(0.29 * 100)
print(int(0.29 * 100))

# %% [markdown]
# The product is a hair below 29, and `int` cuts off everything behind the point. With three parts
# the losses add up. Here are 13 examples in parts of 60, 20 and 20%.

# %%
n = 13
sizes = [int(share * n) for share in (0.6, 0.2, 0.2)]
print(sizes, "makes", sum(sizes), "of", n)

# %% [markdown]
# Two examples are in no part at all. So don't round how *long* each part is; add up the shares
# and round where each part *ends*. The last end is always `n`.

# %%
ends = [round(share * n) for share in (0.6, 0.8, 1.0)]
sizes = [ends[0], ends[1] - ends[0], ends[2] - ends[1]]
print("ends", ends, "and sizes", sizes, "make", sum(sizes))

# %% [markdown]
# `split` counts like that, and it gives the same sizes.

# %%
zeros = torch.zeros(n, 1)
parts = split(zeros, zeros, fractions=(0.6, 0.2, 0.2))
assert [len(X_part) for X_part, _ in parts] == sizes

# %% [markdown]
# ## Three parts, shuffled
#
# With a third part, the validation data, you can choose between models and leave the test data
# shut until the end. This time shuffle first, so that each part holds points from all over the
# line.
#
# `torch.randperm` gives the numbers from 0 to 49 in random order. The *seed* makes it the same
# order each time, so that you and we see the same split. Use one order for both tensors, or the
# labels no longer belong to their features.

# %%
seeded = torch.Generator().manual_seed(0)
order = torch.randperm(len(X), generator=seeded)
X_mixed, y_mixed = X[order], y[order]

mine = [
    (X_mixed[:30], y_mixed[:30]),
    (X_mixed[30:40], y_mixed[30:40]),
    (X_mixed[40:], y_mixed[40:]),
]
print([len(X_part) for X_part, _ in mine])

# %% [markdown]
# In `split`, shuffling is the default.

# %%
shuffled = split(X, y, fractions=(0.6, 0.2, 0.2), seed=0)

for packaged, by_hand in zip(shuffled, mine, strict=True):
    assert torch.equal(packaged[0], by_hand[0])
    assert torch.equal(packaged[1], by_hand[1])

# %% [markdown]
# Put the three parts together and sort them, and you have the whole line again. So each example
# is in exactly one part. `dim` names a direction of a tensor: `dim=0` goes down the rows, `dim=1`
# along each row.

# %%
together = torch.cat([X_part for X_part, _ in shuffled])
assert torch.equal(together.sort(dim=0).values, X)

# %% [markdown]
# ## Ordered against shuffled
#
# The two ways to split ask two different questions. Draw both: each part is a pair, and `*train`
# hands over its `X` and its `y`.

# %%
# alt: Two plots of the same line. Above, in order, blue circles fill the left 60 percent, purple
#   triangles the next 20 and green squares the last 20. Below, shuffled, the three kinds lie mixed
#   along the whole line, so nearly every green square has blue circles on both sides.
# caption: Three parts in order, above, and shuffled, below.
ordered = split(X, y, fractions=(0.6, 0.2, 0.2), shuffle=False)


def draw(ax, train, validation, test):
    ax.plot(*train, "o", ms=4, c="#0072B2", label="training data")
    ax.plot(*validation, "^", ms=4, c="#AA4499", label="validation data")
    ax.plot(*test, "s", ms=4, c="#009E73", label="test data")
    ax.set_ylabel("y")


fig, (above, below) = plt.subplots(2, 1, figsize=(5, 5.6), sharex=True)
draw(above, *ordered)
draw(below, *shuffled)
above.set_title("in order")
above.legend()
below.set_title("shuffled")
below.set_xlabel("x")

# %% [markdown]
# Above, each test point lies beyond the training data. Answering there is *extrapolation*: does
# the pattern go on where nobody looked? Below, the test points lie among the training points.
# That is *interpolation*, and usually easier. Count how many test points lie outside the training
# data's range.

# %%
for title, parts in [("in order", ordered), ("shuffled", shuffled)]:
    (X_learn, _), _, (X_judge, _) = parts
    outside = (X_judge < X_learn.min()) | (X_judge > X_learn.max())
    print(f"{title}: {outside.sum()} of {len(X_judge)} outside")

# %% [markdown]
# All ten against one; a shuffle can leave a test point near the end of the line. Neither way
# is wrong. The ordered split is the harder test, and the right one when the model will be used
# beyond its data, as a forecast is. On this line we use it, because a straight line ought to go
# on.

# %% tags=["collapse"]
# publish: split
# alt: Fifty points scattered around a rising line. Blue circles, purple triangles and green squares
#   lie mixed along all of it.
# caption: Three parts, shuffled, with noise. With JavaScript you choose the shares, the noise and
#   the seed, and see which points land where.
parts = split(*make_line(noise=0.05), fractions=(0.6, 0.2, 0.2))
fig, ax = plt.subplots()
draw(ax, *parts)
ax.set_xlabel("x")
ax.legend()

# %% [markdown]
# ## Measure on the training data only
#
# Often you rescale features before training: subtract their mean, then divide by their spread,
# so that features in different units become alike. The usual spread is the *standard deviation*:
# the root of the mean squared distance from the mean. Both numbers are learned from data, so they
# must come from the training data alone.

# %%
print(f"mean of all points:        {X.mean():.2f}")
print(f"mean of the training data: {X_train.mean():.2f}")

# %% [markdown]
# The first number knows where the test points lie. Whoever scales with it has let the test leak
# into the training. Take mean and spread from the training data, and use the same two for both
# parts. (`std` divides by one less than the number of points, which makes up for measuring from
# their own mean; with forty points you hardly see it.)

# %%
mean, spread = X_train.mean(), X_train.std()
X_train_scaled = (X_train - mean) / spread
X_test_scaled = (X_test - mean) / spread
print("training data:", X_train_scaled.min(), "to", X_train_scaled.max())
print("test data:    ", X_test_scaled.min(), "to", X_test_scaled.max())

# %% [markdown]
# The line itself already lies between 0 and 1, so the course goes on with the unscaled points.
#
# ## Hand it out in batches
#
# Forty points fit into one calculation. A million pictures don't, so they go to the model a
# *batch* at a time. By hand, a batch is a slice.

# %%
by_hand = [
    (X_train[start : start + 16], y_train[start : start + 16])
    for start in range(0, len(X_train), 16)
]
print([len(X_batch) for X_batch, _ in by_hand])

# %% [markdown]
# The last batch is short: it has the eight that are left.
#
# PyTorch has two classes for this. A `Dataset` knows how many examples there are and gives you
# one by its number; `TensorDataset` is one for tensors that you already have. A `DataLoader`
# walks through a dataset and hands out batches. When the data doesn't fit into memory, write a
# `Dataset` that reads one example at a time; with `num_workers=2`, say, the loader has two
# processes do that in the background.

# %%
dataset = TensorDataset(X_train, y_train)
loader = DataLoader(dataset, batch_size=16)
print(len(dataset), "examples in", len(loader), "batches")
print("example 3:", dataset[3])

# %% [markdown]
# When everything is in memory anyway, [`batches`][workflow.batches] does it with slices. All
# three ways hand out the same batches.

# %%
packaged = batches(X_train, y_train, batch_size=16)

for mine, loaded, ours in zip(by_hand, loader, packaged, strict=True):
    for one, two, three in zip(mine, loaded, ours, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)

# %% [markdown]
# For training, batches are usually shuffled anew on each walk through the data. Walk twice: the
# order differs, and yet each example comes exactly once.

# %%
mixed = batches(X_train, y_train, batch_size=16, shuffle=True, seed=0)
first = torch.cat([X_batch for X_batch, _ in mixed])
second = torch.cat([X_batch for X_batch, _ in mixed])

print("first walk: ", first[:4].flatten())
print("second walk:", second[:4].flatten())
assert not torch.equal(first, second)
assert torch.equal(first.sort(dim=0).values, X_train)
assert torch.equal(second.sort(dim=0).values, X_train)

# %% tags=["collapse"]
# publish: data
# Numbers for the page before.
try:
    torch.tensor([1, 2, 3]).mean()
except RuntimeError as error:
    message = str(error).partition(":")[2].strip()

torch.manual_seed(42)
mix = torch.cat([X[torch.randperm(len(X))], torch.ones_like(X)], dim=1)  # and y as it was
line = torch.linalg.lstsq(mix, y).solution
answers = mix @ line

torch.manual_seed(0)
guesses = torch.randint(2, (20, 10))  # twenty models, ten pictures, cat or dog
scores = (guesses == torch.randint(2, (10,))).sum(dim=1)

numbers = {
    "message": message,
    "weight": f"{line[0].item():.2f}",
    "low": f"{answers.min():.2f}",
    "high": f"{answers.max():.2f}",
    "miss": f"{(answers - y).abs().mean():.2f}",
    "top": f"{y.max():.2f}",
    "cut": int(0.29 * 100),
    "pairs": f"{(y - y.flatten()).numel():,}",
    "rare": f"{2**10:,}",
    "best": scores.max().item(),
    "worst": scores.min().item(),
    "count": len(torch.arange(1, 1.3, 0.1)),
}
print(json.dumps(numbers))

# %% [markdown]
# You now have a line with a known answer, parts with a job each, and a way to hand them out. What
# is still missing is something that learns: [the next stage](../models/index.md).
#
# ## Try it
#
# Change the first cell of each exercise, run it, then run its check, which says “Right.” or what is
# missing. (On the website, the checks were run on the solutions.)

# %% [markdown] tags=["exercise"]
# Make the line $y = -2x + 5$ by hand: `x` from -1 to 1 in steps of 0.1, without the end. Both
# tensors are columns.

# %% tags=["solution"]
# starter: X_mine = torch.zeros(20, 1)
# starter: y_mine = torch.zeros(20, 1)
X_mine = torch.arange(-1, 1, 0.1).unsqueeze(1)
y_mine = -2 * X_mine + 5

# %% tags=["check"]
X_answer, y_answer = make_line(-1, 1, 0.1, weight=-2, bias=5)
if not (isinstance(X_mine, torch.Tensor) and isinstance(y_mine, torch.Tensor)):
    print("Not yet: make both of them tensors.")
elif X_mine.ndim == 1:
    print("Not yet: x is flat. Make it a column.")
elif X_mine.numel() != 20:
    print("Not yet: 20 points, without the end. There are", X_mine.numel())
elif X_mine.shape != (20, 1):
    print("Not yet: one row a point. The shape of x is", tuple(X_mine.shape))
elif not torch.allclose(X_mine.float(), X_answer, atol=1e-6):
    print("Not yet: x is wrong. It starts with", X_mine[:3].tolist())
elif y_mine.shape != X_mine.shape:
    print("Not yet: x is right; the shape of y is", tuple(y_mine.shape))
elif not torch.allclose(y_mine.float(), y_answer, atol=1e-6):
    print("Not yet: x is right; y starts with", y_mine[:3].tolist())
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# `torch.arange` counts, `unsqueeze` makes a column. Compute `y_mine` from `X_mine`.

# %% [markdown] tags=["solution"]
# Arithmetic keeps the shape, so `y_mine` is a column because `X_mine` is one.

# %% [markdown] tags=["exercise"]
# What is the shape of a colour video of 12 frames, each 32 pixels high and 48 wide? Write it as a
# tuple, the frames first.

# %% tags=["solution"]
# starter: video_shape = ()
video_shape = (12, 3, 32, 48)

# %% tags=["check"]
colour_frame = torch.stack([torch.zeros(32, 48)] * 3)
right_shape = torch.stack([colour_frame] * 12).shape
if not isinstance(video_shape, (tuple, list)):
    print("Not yet: a tuple of whole numbers, please. This is", video_shape)
elif tuple(video_shape) == right_shape:
    print("Right.")
elif 3 not in video_shape:
    print("Not yet: where are the three colours?")
elif len(video_shape) != 4:
    print("Not yet: that has", len(video_shape), "directions.")
elif video_shape[0] != 12:
    print("Not yet: the frames come first, and there are 12.")
elif video_shape[1] != 3:
    print("Not yet: a colour picture puts its colours first.")
else:
    print("Not yet: frames, colours, then height before width.")

# %% [markdown] tags=["hint"]
# Begin with one frame: a picture in colour. Then lay twelve on one another.

# %% [markdown] tags=["solution"]
# Each `torch.stack` adds its direction at the front: first the colours, then the frames.

# %% [markdown] tags=["exercise"]
# A week of temperatures; the first five days are training data. Scale all seven, so that the
# training data has mean 0 and spread 1.

# %% tags=["solution"]
days = torch.tensor([[12.0], [14], [13], [17], [19], [24], [27]])
# starter: scaled = days
mean, spread = days[:5].mean(), days[:5].std()
scaled = (days - mean) / spread

# %% tags=["check"]
if not isinstance(scaled, torch.Tensor):
    print("Not yet: keep it a tensor.")
elif scaled.shape != days.shape:
    print("Not yet: all seven, please, as a column. The shape is", tuple(scaled.shape))
elif not scaled.isfinite().all():
    print("Not yet: nan. The mean and the spread go down all rows, not along one.")
else:
    rule, learned = scaled.diff(dim=0) / days.diff(dim=0), scaled[:5]
    spreads = [learned.std(), learned.std(correction=0)]  # divided by 4, or by 5
    if learned.mean().abs() > 1e-5 and scaled.mean().abs() < 1e-5:
        print("Not yet: the last two days are in your mean. They leaked.")
    elif learned.mean().abs() > 1e-5:
        print(f"Not yet: the training data has mean {learned.mean():.2f}.")
    elif not any((spread - 1).abs() < 1e-5 for spread in spreads):
        print(f"Not yet: the training data has spread {learned.std():.2f}.")
    elif not torch.allclose(rule, rule[0].expand_as(rule)):
        print("Not yet: the last two days are scaled by other numbers.")
    elif rule[0] < 0:
        print("Not yet: the warmest day became the lowest number.")
    else:
        print("Right.")

# %% [markdown] tags=["hint"]
# Subtract a mean, divide by a spread. Of which rows?

# %% [markdown] tags=["solution"]
# On day five nobody knew how warm days six and seven would be, so they may not shift the scale.

# %% [markdown] tags=["exercise"]
# Divide the fifty points of `X` and `y` into parts of 70, 15 and 15%, so that each point is in
# exactly one. Make a list of three pairs, with slices.

# %% tags=["solution"]
# starter: my_parts = []
cut, cut_again = round(0.7 * len(X)), round(0.85 * len(X))
my_parts = [
    (X[:cut], y[:cut]),
    (X[cut:cut_again], y[cut:cut_again]),
    (X[cut_again:], y[cut_again:]),
]

# %% tags=["check"]
try:
    points, labels = (torch.cat(side) for side in zip(*my_parts, strict=True))
    sizes = [len(X_part) for X_part, _ in my_parts]
except (RuntimeError, TypeError, ValueError):
    points = labels = None
if points is None:
    print("Not yet: a list of three pairs, each with a part of X and one of y.")
elif points.shape[1:] != X.shape[1:]:
    print("Not yet: keep the columns. The points have the shape", tuple(points.shape))
elif len(points) < len(X):
    print("Not yet: some points are in no part. The sizes are", sizes)
elif len(points) > len(X):
    print("Not yet: some points are in two parts. The sizes are", sizes)
elif not torch.equal(points.sort(dim=0).values, X):
    print("Not yet: fifty points, but not each one once.")
elif labels.shape != points.shape or (labels - 0.7 * points - 0.3).abs().max() > 1e-6:
    print("Not yet: the labels don't belong to their points.")
elif sizes not in ([35, 7, 8], [35, 8, 7]):
    print("Not yet: the shares are off. The sizes are", sizes)
else:
    print("Right.")

# %% [markdown] tags=["hint"]
# Work out where each part ends, and round that. The next part begins at the same number.

# %% [markdown] tags=["solution"]
# The end of one slice is the start of the next, so no point is lost and none comes twice. 15% of 50
# is no whole number, and rounding the ends decides which part gets the extra point.

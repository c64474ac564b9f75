"""Wrong answers to the exercises that a learner might well give, and what the check says to them.

An answer stands in the place of the starter, below the lines that the exercise gives.
"""

from __future__ import annotations

from typing import NamedTuple


class Wrong(NamedTuple):
    exercise: int
    answer: str
    words: str  # of the check


WRONG = {
    "data": [
        Wrong(
            1,
            "X_mine = torch.arange(-1, 1, 0.1)\ny_mine = -2 * X_mine + 5",
            "x is flat",
        ),
        Wrong(
            1,
            "X_mine = torch.linspace(-1, 1, 21).unsqueeze(1)\ny_mine = -2 * X_mine + 5",
            "20 points, without the end. There are 21",
        ),
        Wrong(
            1,
            "X_mine = torch.arange(-1, 1, 0.1).unsqueeze(1)\ny_mine = -2 * X_mine.flatten() + 5",
            "the shape of y is (20,)",
        ),
        Wrong(
            1,
            "X_mine = torch.arange(-1, 1, 0.1).unsqueeze(1)\ny_mine = 5 * X_mine - 2",
            "y starts with",
        ),
        Wrong(
            1,
            "X_mine = torch.arange(-1, 1, 0.1).unsqueeze(1)\ny_mine = 2 * X_mine + 5",
            "y starts with",
        ),
        Wrong(
            1,
            "X_mine = torch.arange(-1, 1, 0.1).unsqueeze(0)\ny_mine = -2 * X_mine + 5",
            "one row a point. The shape of x is (1, 20)",
        ),
        Wrong(
            1,
            "X_mine = [[x / 10] for x in range(-10, 10)]\ny_mine = [[5 - 2 * x] for [x] in X_mine]",
            "make both of them tensors",
        ),
        Wrong(1, "X_mine = y_mine = None", "make both of them tensors"),
        Wrong(2, "video_shape = (12, 32, 48)", "where are the three colours"),
        Wrong(2, "video_shape = (12, 32, 48, 3)", "puts its colours first"),
        Wrong(2, "video_shape = (12, 3, 48, 32)", "height before width"),
        Wrong(2, "video_shape = (3, 12, 32, 48)", "the frames come first"),
        Wrong(2, "video_shape = (12, 3, 32 * 48)", "3 directions"),
        Wrong(2, "video_shape = 12 * 3 * 32 * 48", "a tuple of whole numbers"),
        Wrong(2, "video_shape = None", "a tuple of whole numbers"),
        Wrong(3, "scaled = (days - days.mean()) / days.std()", "They leaked"),
        Wrong(3, "scaled = days - days[:5].mean()", "has spread 2.92"),
        Wrong(
            3,
            "scaled = days[:5]\nscaled = (scaled - scaled.mean()) / scaled.std()",
            "The shape is (5, 1)",
        ),
        Wrong(
            3,
            "late = days[5:]\nscaled = (days - days[:5].mean()) / days[:5].std()\n"
            "scaled[5:] = (late - late.mean()) / late.std()",
            "by other numbers",
        ),
        Wrong(3, "scaled = (days[:5].mean() - days) / days[:5].std()", "the warmest day"),
        Wrong(3, "scaled = (days - days.mean(dim=1)) / days[:5].std()", "The shape is (7, 7)"),
        Wrong(
            3,
            "scaled = (days - days.mean(dim=1, keepdim=True)) / days[:5].std(dim=1, keepdim=True, "
            "correction=0).mean()",
            "nan",
        ),
        Wrong(
            3, "scaled = ((days - days[:5].mean()) / days[:5].std()).tolist()", "keep it a tensor"
        ),
        Wrong(3, "scaled = None", "keep it a tensor"),
        Wrong(
            4,
            "my_parts = [(X[:35], y[:35]), (X[35:42], y[35:42]), (X[43:], y[43:])]",
            "in no part. The sizes are [35, 7, 7]",
        ),
        Wrong(
            4,
            "my_parts = [(X[:36], y[:36]), (X[35:43], y[35:43]), (X[42:], y[42:])]",
            "in two parts",
        ),
        Wrong(
            4,
            "my_parts = [(X[:35], y[:35]), (X[35:42], y[42:49]), (X[42:], y[42:])]",
            "labels don't belong",
        ),
        Wrong(
            4,
            "my_parts = [(X[:30], y[:30]), (X[30:40], y[30:40]), (X[40:], y[40:])]",
            "the shares are off",
        ),
        Wrong(
            4,
            "my_parts = [(X[:35], -y[:35]), (X[35:42], y[35:42]), (X[42:], y[42:])]",
            "labels don't belong",
        ),
        Wrong(
            4,
            "my_parts = [(X[:35].flatten(), y[:35].flatten()), (X[35:42].flatten(), "
            "y[35:42].flatten()), (X[42:].flatten(), y[42:].flatten())]",
            "keep the columns",
        ),
        Wrong(
            4,
            "x, z = X.tolist(), y.tolist()\n"
            "my_parts = [(x[:35], z[:35]), (x[35:42], z[35:42]), (x[42:], z[42:])]",
            "a list of three pairs",
        ),
        Wrong(4, "my_parts = [X[:35], X[35:42], X[42:]]", "a list of three pairs"),
        Wrong(4, "my_parts = [(X[:35], y[:35]), (X[35:], y[35:])]", "the shares are off"),
        Wrong(4, "my_parts = None", "a list of three pairs"),
    ],
    "models": [
        Wrong(1, "count = 2 * 16 + 16 * 16 + 16 * 3", "The biases are missing"),
        Wrong(1, "count = 2 * 16 + 1 + 16 * 16 + 1 + 16 * 3 + 1", "more than one bias"),
        Wrong(1, "count = 2 * 16 + 16 + 16 * 3 + 3", "between the hidden layers"),
        Wrong(1, "count = -403", "is too few"),
        Wrong(1, "count = [48, 272, 51]", "one number, please"),
        Wrong(1, "count = None", "one number, please"),
        Wrong(2, "with torch.inference_mode():\n    answers = network(flats)", "in train mode"),
        Wrong(2, "network.eval()\nanswers = network(flats)", "recorded"),
        Wrong(2, "network.eval()\nanswers = network(flats).detach()", "recorded"),
        Wrong(2, "answers = predict(network, flats)", "where predict puts it back"),
        Wrong(
            2,
            "network.eval()\nwith torch.inference_mode():\n    answers = network.forward(flats)",
            "forward skips the hook",
        ),
        Wrong(
            2,
            "network.eval()\nwith torch.inference_mode():\n    answers = network(flats).tolist()",
            "a tensor with one answer a flat",
        ),
        Wrong(
            2,
            "network.eval()\nwith torch.inference_mode():\n    answers = network(flats).T",
            "as a column",
        ),
        Wrong(2, "answers = None", "a tensor with one answer a flat"),
        Wrong(
            3,
            """\
        self.a = torch.randn(1)
        self.b = torch.randn(1)
        self.c = torch.randn(1)

    def forward(self, x):
        return self.a * x**2 + self.b * x + self.c
""",
            "a is no nn.Parameter",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))
        self.c = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.a * x**2 + self.b * x + self.c
""",
            "the same each time",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))
        self.c = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.a * x * 2 + self.b * x + self.c
""",
            "forward should return",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.zeros(1))
        self.c = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.a * x**2 + self.b * x + self.c
""",
            "b is the same each time",
        ),
        Wrong(
            3,
            """\
        start = torch.randn(1)
        self.a = nn.Parameter(start.clone())
        self.b = nn.Parameter(start.clone())
        self.c = nn.Parameter(start.clone())

    def forward(self, x):
        return self.a * x**2 + self.b * x + self.c
""",
            "they start equal",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))
        self.c = nn.Parameter(torch.randn(1))

    def forward(self, x):
        self.a * x**2 + self.b * x + self.c
""",
            "forward returns nothing",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))
        self.c = nn.Parameter(torch.randn(1))

    def forward(self):
        return self.a * x**2 + self.b * x + self.c
""",
            "forward() takes 1 positional argument",
        ),
        Wrong(
            3,
            """\
        self.a = nn.Parameter(torch.randn(1))
        self.b = nn.Parameter(torch.randn(1))
        self.c = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.c - self.a * x**2 - self.b * x
""",
            "forward should return",
        ),
        Wrong(
            4,
            "flowers.layers[-1] = nn.Linear(8, 5)\n"
            "for parameter in flowers.parameters():\n    parameter.requires_grad = False",
            "The new layer was frozen with the rest",
        ),
        Wrong(4, "flowers.layers[-1] = nn.Linear(8, 5)", "only the last layer should learn"),
        Wrong(4, "flowers.layers[-1] = nn.Linear(3, 5)", "gets 8 numbers and expects 3"),
        Wrong(4, "flowers.layers[-1] = nn.Linear(5, 8)", "five outputs, please. There are 8"),
        Wrong(4, "flowers.layers[-1].out_features = 5", "five outputs, please. There are 3"),
        Wrong(4, "flowers.layers.append(nn.Linear(3, 5))", "there are 4 parts now"),
        Wrong(
            4,
            "flowers.layers[-1] = nn.Linear(8, 5)\n"
            "for parameter in flowers.parameters():\n"
            "    parameter.requires_grad = parameter.ndim == 1",
            "only the last layer should learn",
        ),
        Wrong(4, "flowers.eval()\nflowers.layers[-1] = nn.Linear(8, 5)", "only the last layer"),
    ],
    "training": [
        Wrong(1, "my_w_grad = 3.0\nmy_b_grad = 1.5", "that is the error itself"),
        Wrong(1, "my_w_grad = -6.0\nmy_b_grad = -3.0", "prediction minus label"),
        Wrong(1, "my_w_grad = 3.0\nmy_b_grad = 3.0", "moves the prediction by x"),
        Wrong(1, "my_w_grad = -6.0\nmy_b_grad = 3.0", "b is right, w isn't"),
        Wrong(1, "my_w_grad = my_b_grad = [6.0, 3.0]", "begin with the bias"),
        Wrong(1, "my_w_grad = my_b_grad = None", "begin with the bias"),
        Wrong(2, "mean_loss = (32 * 0.2 + 32 * 0.3 + 6 * 0.9) / 3", "isn't the mean of 70"),
        Wrong(2, "mean_loss = -(32 * 0.2 + 32 * 0.3 + 6 * 0.9) / 70", "isn't the mean of 70"),
        Wrong(2, "mean_loss = [6.4 / 70, 9.6 / 70, 5.4 / 70]", "one number, please"),
        Wrong(2, "mean_loss = None", "one number, please"),
        Wrong(3, "    loss.backward()\n    optimizer.step()", "off. In each round: clear"),
        Wrong(
            3,
            "    optimizer.zero_grad()\n    optimizer.step()",
            "step finds no gradients",
        ),
        Wrong(
            3,
            "    loss.backward()\n    optimizer.zero_grad()\n    optimizer.step()",
            "what clears them?",
        ),
        Wrong(3, "    optimizer.zero_grad()\n    loss.backward()", "nothing moves the parameters"),
        Wrong(
            3,
            "    optimizer.step()\n    optimizer.zero_grad()\n    loss.backward()",
            "gradients of the round before",
        ),
        Wrong(
            3,
            "    optimizer.zero_grad()\n    loss.backward\n    optimizer.step()",
            "step finds no gradients",
        ),
        Wrong(
            3,
            "    optimizer.zero_grad()\n    (-loss).backward()\n    optimizer.step()",
            "off. In each round: clear",
        ),
        Wrong(
            3,
            "    pass\noptimizer.zero_grad()\nloss.backward()\noptimizer.step()",
            "off. In each round: clear",
        ),
        Wrong(4, "my_lr = 0.001", "too low"),
        Wrong(4, "my_lr = 0.26", "too high"),
        Wrong(4, "my_lr = 0.26", "too high. Each step lands further off"),
        Wrong(4, "my_lr = 0.2499", "a little too high"),
        Wrong(4, "my_lr = 0.25", "a little too high"),
        Wrong(4, "my_lr = 0", "a number above zero"),
        Wrong(4, "my_lr = -0.1", "a number above zero"),
        Wrong(4, "my_lr = float('nan')", "a number above zero"),
        Wrong(4, "my_lr = [0.1]", "a number above zero"),
        Wrong(4, "my_lr = None", "a number above zero"),
    ],
    "evaluation": [
        Wrong(
            1,
            "flats_mae = (guesses.flatten() - prices).square().mean().item()",
            "the mean of the squares",
        ),
        Wrong(1, "flats_mae = (guesses.flatten() - prices).mean().abs().item()", "cancelled"),
        Wrong(1, "flats_mae = (guesses.flatten() - prices).mean().item()", "cancelled"),
        Wrong(1, "flats_mae = -(guesses.flatten() - prices).abs().mean().item()", "isn't the mean"),
        Wrong(
            1,
            "flats_mae = (guesses - prices.unsqueeze(1)).abs().mean(dim=1)",
            "one number, not a Tensor",
        ),
        Wrong(1, "flats_mae = [10, 10, 30, 10, 5]", "one number, not a list"),
        Wrong(1, "flats_mae = None", "one number, not a NoneType"),
        Wrong(2, "baseline = (animals == 0).float().mean().item()", "the share of the largest"),
        Wrong(2, "baseline = 0.7", "the share of the largest"),
        Wrong(2, "baseline = animals.bincount().max().item()", "that is a count"),
        Wrong(2, "baseline = animals.bincount() / len(animals)", "one number, not a Tensor"),
        Wrong(2, "baseline = None", "one number, not a NoneType"),
        Wrong(
            3, 'reported = evaluate(slope, steep, loss_fn=nn.L1Loss())["loss"]', "the training data"
        ),
        Wrong(
            3, 'reported = evaluate(slope, steep_test, loss_fn=nn.MSELoss())["loss"]', "is not the"
        ),
        Wrong(3, "reported = evaluate(slope, steep_test, loss_fn=nn.L1Loss())", "not a dict"),
        Wrong(
            3, "reported = nn.L1Loss()(predict(slope, steep_test[0]), steep_test[1])", "a Tensor"
        ),
        Wrong(3, "reported = None", "one number, not a NoneType"),
        Wrong(
            4,
            "dropper.eval()\nmy_mse = (dropper(validation[0]) - validation[1]).square()",
            "one number, not a Tensor",
        ),
        Wrong(
            4,
            "dropper.eval()\n"
            "my_mse = (dropper(validation[0]) - validation[1]).mean().square().item()",
            "not the mean squared error",
        ),
        Wrong(4, "my_mse = None", "one number, not a NoneType"),
        Wrong(
            4,
            "with torch.inference_mode():\n"
            "    my_mse = (dropper(validation[0]) - validation[1]).square().mean().item()",
            "computed in train mode",
        ),
        Wrong(
            4,
            "dropper.eval()\nmy_mse = nn.MSELoss()(dropper(many[0]), many[1]).item()",
            "the loss on the training data",
        ),
        Wrong(
            4,
            "dropper.eval()\nmy_mse = nn.L1Loss()(dropper(validation[0]), validation[1]).item()",
            "not the mean squared error",
        ),
    ],
    "experiments": [
        Wrong(1, 'my_choice = units[found["train"].index(min(found["train"]))]', "by heart"),
        Wrong(1, 'my_choice = units[found["test"].index(min(found["test"]))]', "by the test data"),
        Wrong(1, "my_choice = 4", "no loss is lowest there"),
        Wrong(1, 'my_choice = min(found["validation"])', "a number of units"),
        Wrong(1, "my_choice = [16]", "a number of units"),
        Wrong(1, "my_choice = torch.tensor([16, 64])", "a number of units"),
        Wrong(1, "my_choice = None", "a number of units"),
        Wrong(
            2,
            "pairs = [a - b for a, b in zip(first, second, strict=True)]\n"
            "my_difference = (statistics.fmean(pairs), statistics.stdev(pairs) / math.sqrt(5))",
            "the other way around",
        ),
        Wrong(
            2,
            "pairs = [b - a for a, b in zip(first, second, strict=True)]\n"
            "my_difference = (statistics.fmean(pairs), statistics.stdev(pairs))",
            "that is their standard deviation",
        ),
        Wrong(
            2,
            "pairs = [b - a for a, b in zip(first, second, strict=True)]\n"
            "my_difference = (statistics.fmean(pairs), statistics.pstdev(pairs) / math.sqrt(5))",
            "divide the squares by 4",
        ),
        Wrong(
            2,
            "a, b = torch.tensor(first), torch.tensor(second)\n"
            "error = math.sqrt((a.var() + b.var()) / 5)\n"
            "my_difference = (b.mean() - a.mean(), error)",
            "without the pairs",
        ),
        Wrong(
            2,
            "pairs = [b - a for a, b in zip(first, second, strict=True)]\n"
            "my_difference = (statistics.fmean(pairs), statistics.stdev(pairs) / 5)",
            "the standard error isn't",
        ),
        Wrong(2, "my_difference = (max(second) - max(first), 0.004)", "is something else"),
        Wrong(2, "my_difference = (statistics.fmean(second), 0.004)", "is something else"),
        Wrong(2, "my_difference = torch.tensor(second) - torch.tensor(first)", "a pair"),
        Wrong(2, "my_difference = 0.022", "a pair"),
        Wrong(2, "my_difference = None", "a pair"),
        Wrong(
            2, 'my_difference = {"mean": 0.022, "standard error": 0.0037}', "a pair of two numbers"
        ),
        Wrong(3, "    return losses.index(min(losses))", "that is the best epoch"),
        Wrong(3, "    return losses.index(min(losses)) + patience + 1", "one epoch off"),
        Wrong(3, "    return losses.index(min(losses)) + patience", "stop at 12"),
        Wrong(3, "    return 28", "stop at 4, not at 28"),
        Wrong(3, "    pass", "not at None"),
        Wrong(
            3,
            """\
    best = 0
    for number, loss in enumerate(losses):
        if loss <= losses[best]:
            best = number
        elif number - best >= patience:
            return number
    return len(losses) - 1
""",
            "stop at 4, not at 5",
        ),
        Wrong(
            3,
            """\
    worse = 0
    for number in range(1, len(losses)):
        worse = worse + 1 if losses[number] >= losses[number - 1] else 0
        if worse >= patience:
            return number
    return len(losses) - 1
""",
            "not at",
        ),
        Wrong(
            3,
            """\
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            return number
""",
            "only fall stop at None",
        ),
        Wrong(4, "my_limit = 0.8625", "would blow up"),
        Wrong(4, "my_limit = 0.01", "would still converge"),
        Wrong(4, "my_limit = 0.992 * 0.112998", "would still converge"),
        Wrong(
            4,
            "columns = torch.cat([X_long, torch.ones_like(X_long)], dim=1)\n"
            "table = 2 * columns.T @ columns / len(columns)\n"
            "my_limit = 1 / torch.linalg.eigvalsh(table).max().item()",
            "half of it",
        ),
        Wrong(
            4,
            "columns = torch.cat([X_long, torch.ones_like(X_long)], dim=1)\n"
            "my_limit = 2 / torch.linalg.eigvalsh(columns.T @ columns / len(columns)).max().item()",
            "twice as high",
        ),
        Wrong(4, "my_limit = 2 / (2 * X_long.square().mean()).item()", "would blow up"),
        Wrong(4, "my_limit = -0.113", "would still converge"),
        Wrong(4, "my_limit = [0.113]", "one number is expected"),
        Wrong(4, "my_limit = None", "one number is expected"),
    ],
    "checkpoints": [
        Wrong(1, 'note = {"data": "flats.csv", "lr": 0.01, "loss": nn.L1Loss()}', "is loss"),
        Wrong(1, 'note = {"data": "flats.csv", "lr": 0.01}', "doesn't say any more: loss"),
        Wrong(1, "note = {}", "doesn't say any more: data"),
        Wrong(1, 'note = {"data": "", "lr": 0.01, "loss": "L1"}', "doesn't say any more: data"),
        Wrong(1, 'note = {"data": "flats.csv", "lr": None, "loss": "L1"}', "any more: lr"),
        Wrong(1, 'note = {"data": "x", "lr": 0.01, "loss": "L1"}', "the same as before of data"),
        Wrong(
            1, 'note = {"data": "flats.csv", "lr": 1, "loss": "L1"}', "the same as before of data"
        ),
        Wrong(1, 'note = {"data": "flats.csv", "lr": 0.01, "loss": "a loss"}', "which loss was it"),
        Wrong(1, 'note = {"data": [Path("flats.csv")], "lr": 0.01, "loss": "L1"}', "is data"),
        Wrong(1, 'note = ["flats.csv", 0.01, "L1"]', "a dictionary, not a list"),
        Wrong(1, "note = None", "a dictionary, not a NoneType"),
        Wrong(2, "        kept = steep.state_dict().copy()", "an alias"),
        Wrong(2, "    kept = copy.deepcopy(steep.state_dict())", "yours has"),
        Wrong(2, "        kept = copy.deepcopy(steep)", "kept should be a state dict"),
        Wrong(
            2, "        kept = [p.clone() for p in steep.parameters()]", "should be a state dict"
        ),
        Wrong(2, "        kept = {'weight': steep.weight.clone()}", "with weight and bias"),
        Wrong(
            2,
            "        kept = {n: t.tolist() for n, t in steep.state_dict().items()}",
            "keep tensors",
        ),
        Wrong(2, "        kept = None", "should be a state dict"),
        Wrong(
            3,
            'renamed = {name.removeprefix("module.layers."): t for name, t in wrapped.items()}\n'
            "plain_net.layers[0].load_state_dict(\n"
            '    {"weight": renamed["0.weight"], "bias": renamed["0.bias"]}\n)',
            "loaded only layers.0.weight, layers.0.bias",
        ),
        Wrong(3, "plain_net = trained", "the trained network's own"),
        Wrong(3, "plain_net = copy.copy(trained.state_dict())", "it is a OrderedDict"),
        Wrong(3, "plain_net = None", "it is a NoneType"),
        Wrong(4, "more = None", "not a NoneType"),
        Wrong(4, "more = torch.tensor(go_on(longer, 10))", "not a Tensor"),
        Wrong(4, "more = go_on(longer, 40)[30]", "not a float"),
        Wrong(4, "more = go_on(longer, 10)", "Was anything loaded?"),
        Wrong(
            4,
            'load("runs/fit/last.pt", longer[0], longer[1], generator=longer[3].generator)\n'
            "more = go_on(longer, 10)",
            "the scheduler is at epoch 10",
        ),
        Wrong(
            4,
            'load("runs/fit/last.pt", longer[0], longer[1], scheduler=longer[2])\n'
            "more = go_on(longer, 10)",
            "another run. Were the batches",
        ),
        Wrong(
            4,
            "net, adam, scheduler, data = longer\n"
            'others = {"scheduler": scheduler, "generator": data.generator}\n'
            'load("runs/fit/last.pt", net, adam, **others)\n'
            "more = go_on(longer, 40)",
            "10 losses, not 40",
        ),
    ],
    "together": [
        Wrong(
            1,
            'order = ["build the model", "seed", "move the model", "make the optimizer"]',
            "drawn when the model is built",
        ),
        Wrong(
            1,
            'order = ["seed", "build the model", "make the optimizer", "move the model"]',
            "move first",
        ),
        Wrong(
            1,
            'order = ["make the optimizer", "seed", "build the model", "move the model"]',
            "there is no model yet",
        ),
        Wrong(
            1,
            'order = ["seed", "move the model", "build the model", "make the optimizer"]',
            "there is no model yet",
        ),
        Wrong(1, 'order = ["seed", "build the model", "move the model"]', "each of the four, once"),
        Wrong(
            1,
            'order = "seed, build the model, move the model, make the optimizer"',
            "each of the four, once",
        ),
        Wrong(1, "order = None", "each of the four, once"),
        Wrong(2, "classifier = nn.Linear(2, 1)\nits_loss = nn.MSELoss()", "takes logits"),
        Wrong(
            2,
            "classifier = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())\nits_loss = nn.BCELoss()",
            "takes logits",
        ),
        Wrong(2, "classifier = nn.Linear(1, 1)\nits_loss = nn.BCEWithLogitsLoss()", "(210, 2)"),
        Wrong(2, "classifier = nn.Linear(2, 2)\nits_loss = nn.BCEWithLogitsLoss()", "(210, 2)"),
        Wrong(
            2,
            "classifier = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())\n"
            "its_loss = nn.BCEWithLogitsLoss()",
            "these are no logits",
        ),
        Wrong(
            2,
            "classifier = nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1))\n"
            "its_loss = nn.CrossEntropyLoss()",
            "these are no logits",
        ),
        Wrong(
            2,
            "class OneFeature(nn.Linear):\n"
            "    def forward(self, X):\n"
            "        return super().forward(X[:, 1:])\n\n"
            "classifier = OneFeature(1, 1)\nits_loss = nn.BCEWithLogitsLoss()",
            "of the answers are right",
        ),
        Wrong(2, "classifier = its_loss = None", "a model and a loss"),
        Wrong(
            2, "classifier = nn.Linear(2, 1)\nits_loss = nn.BCEWithLogitsLoss", "a model and a loss"
        ),
        Wrong(
            3,
            'arguments = ["--folder", "stopped", "--resume", "--epochs", "20"]',
            "counts those that are done",
        ),
        Wrong(3, 'arguments = ["--folder", "stopped", "--resume"]', "has done 100 epochs"),
        Wrong(3, 'arguments = ["--resume", "--epochs", "120"]', "has done 100 epochs"),
        Wrong(
            3,
            'arguments = ["--folder", "stopped", "--resume", "--epochs", "220"]',
            "has done 220 epochs",
        ),
        Wrong(3, 'arguments = ["--folder", "stopped", "--epochs", "120"]', "a new run"),
        Wrong(3, 'arguments = ["--folder", "other", "--epochs", "120"]', "in another folder"),
        Wrong(3, 'arguments = ["--epochs", "120"]', "in another folder"),
        Wrong(3, 'arguments = "--folder stopped --resume --epochs 120"', "a list of words"),
        Wrong(3, "arguments = None", "a list of words"),
    ],
}

# By the number of their exercise, answers that differ from the solution and are right as well.
ALSO_RIGHT = {
    "data": [
        (1, "X_mine, y_mine = make_line(-1, 1, 0.1, weight=-2, bias=5)"),
        (
            1,
            "X_mine = torch.arange(-10, 10, dtype=torch.float64).reshape(-1, 1) / 10\n"
            "y_mine = 5 - 2 * X_mine",
        ),
        (2, "video_shape = [12, 3, 32, 48]"),
        (2, "video_shape = torch.zeros(12, 3, 32, 48).shape"),
        (3, "scaled = (days - days[:5].mean()) / days[:5].std(correction=0)"),
        (4, "my_parts = split(X, y, fractions=(0.7, 0.15, 0.15))"),
        (4, "my_parts = ((X[:35], y[:35]), [X[35:42], y[35:42]], (X[42:], y[42:]))"),
    ],
    "models": [
        (1, "count = sum(part.numel() for part in MLP(2, (16, 16), 3).parameters())"),
        (2, "network.eval()\nwith torch.no_grad():\n    answers = network(flats)"),
        (
            3,
            """\
        self.a, self.b, self.c = (nn.Parameter(torch.rand(())) for _ in range(3))

    def forward(self, x):
        return (self.a * x + self.b) * x + self.c
""",
        ),
        (4, "flowers.requires_grad_(False)\nflowers.layers[2] = nn.Linear(8, 5, bias=False)"),
        (4, "flowers.layers[-1] = nn.Linear(8, 5)\nflowers.layers[0].requires_grad_(False)"),
    ],
    "training": [
        (1, "my_w_grad, my_b_grad = 6, torch.tensor(3.0)"),
        (2, "mean_loss = 0.306"),
        (2, "mean_loss = torch.tensor(21.4 / 70)"),
        (3, "    loss.backward()\n    optimizer.step()\n    optimizer.zero_grad()"),
        (4, "my_lr = 0.2"),
    ],
    "evaluation": [
        (1, "prices = prices.unsqueeze(1)\nflats_mae = float((guesses - prices).abs().mean())"),
        (1, "flats_mae = mean_absolute_error(guesses.flatten(), prices)"),
        (2, "baseline = 64 / 100"),
        (3, "reported = (predict(slope, steep_test[0]) - steep_test[1]).abs().mean().item()"),
        (4, 'my_mse = evaluate(dropper, validation, loss_fn=nn.MSELoss())["loss"]'),
    ],
    "experiments": [
        (1, "my_choice = 16"),
        (2, "my_difference = [0.022, 0.0037]"),
        (
            2,
            "pairs = torch.tensor(second) - torch.tensor(first)\n"
            "my_difference = torch.stack([pairs.mean(), pairs.std() / 5**0.5])",
        ),
        (
            3,
            """\
    for stop in range(len(losses)):
        if stop - losses.index(min(losses[: stop + 1])) == patience:
            return stop
    return len(losses) - 1
""",
        ),
        (4, "my_limit = 0.113"),
        (
            4,
            "A_long = torch.cat([torch.ones_like(X_long), X_long], dim=1)\n"
            "my_limit = len(X_long) / torch.linalg.matrix_norm(A_long, 2) ** 2",
        ),
    ],
    "checkpoints": [
        (1, 'note = {"data": "flats.csv", "lr": 0.01, "loss": "nn.L1Loss", "seed": 42}'),
        (2, "        kept = {name: tensor.clone() for name, tensor in steep.state_dict().items()}"),
        (
            3,
            "from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present as strip\n"
            'strip(wrapped, "module.")\n'
            "plain_net.load_state_dict(wrapped)",
        ),
        (
            4,
            "mine = new_run()\n"
            "net, adam, scheduler, data = mine\n"
            'load("runs/fit/last.pt", net, adam, scheduler=scheduler, generator=data.generator)\n'
            "more = go_on(mine, 10)",
        ),
    ],
    "together": [
        (1, 'order = ("seed", "build the model", "move the model", "make the optimizer")'),
        (2, "classifier = nn.Linear(2, 2)\nits_loss = nn.CrossEntropyLoss()"),
        (
            2,
            "classifier = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))\n"
            "its_loss = nn.BCEWithLogitsLoss()",
        ),
        (3, 'arguments = ["--resume", "--epochs=120", "--folder", "stopped"]'),
        (3, 'arguments = ["--folder", "stopped", "--resume", "--epochs", 120]'),
        (
            3,
            'terminal("--folder", "stopped", "--resume", "--epochs", "240")\n'
            'arguments = ["--folder", "stopped", "--resume", "--epochs", "120"]',
        ),
    ],
}

"""What torch makes of the course's line, to the digits that pages show.

Another torch may draw other random numbers or round otherwise: then these are renewed, all here.
"""

TORCH = "2.13"

# LinearRegressionModel after torch.manual_seed(42), trained on 40 points in one batch with L1Loss
# and SGD at 0.01: weight and bias by the epochs that are done. From CYCLE on it bounces.
LINE = {0: (0.3367, 0.1288), 100: (0.5784, 0.3513), 200: (0.6990, 0.3093), 300: (0.6990, 0.3093)}
START = {"weight": LINE[0][0], "bias": LINE[0][1]}
CYCLE = 169

# The same by mini-batches of 8 with Adam at 0.02 on a cosine of 40 epochs: the last loss, and that
# of the run which was stopped after 20 epochs and went on from the model alone.
NEVER_STOPPED, FROM_MODEL = "0.000008", "0.0021"

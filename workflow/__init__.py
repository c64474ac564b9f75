"""The PyTorch workflow, stage by stage, in plain PyTorch that you could have written."""

from importlib.metadata import version

from workflow.checkpoints import Checkpoint, CheckpointError, load, read_checkpoint, save
from workflow.data import Batches, batches, make_line, split, to_tensor
from workflow.evaluation import (
    accuracy,
    confusion_matrix,
    evaluate,
    mean_absolute_error,
    mean_squared_error,
    predict,
    r2_score,
)
from workflow.experiments import (
    Choice,
    Difference,
    Result,
    choose,
    compare,
    difference,
    grid,
    read_results,
    run,
)
from workflow.models import MLP, LinearRegressionModel, summary
from workflow.plotting import (
    plot_decision_boundary,
    plot_history,
    plot_loss_surface,
    plot_predictions,
    plot_results,
)
from workflow.runtime import best_device, seed_everything
from workflow.training import DivergedError, Epoch, fit, train_epoch, train_step

__version__ = version("pytorch-workflow")

__all__ = [
    "MLP",
    "Batches",
    "Checkpoint",
    "CheckpointError",
    "Choice",
    "Difference",
    "DivergedError",
    "Epoch",
    "LinearRegressionModel",
    "Result",
    "accuracy",
    "batches",
    "best_device",
    "choose",
    "compare",
    "confusion_matrix",
    "difference",
    "evaluate",
    "fit",
    "grid",
    "load",
    "make_line",
    "mean_absolute_error",
    "mean_squared_error",
    "plot_decision_boundary",
    "plot_history",
    "plot_loss_surface",
    "plot_predictions",
    "plot_results",
    "predict",
    "r2_score",
    "read_checkpoint",
    "read_results",
    "run",
    "save",
    "seed_everything",
    "split",
    "summary",
    "to_tensor",
    "train_epoch",
    "train_step",
]

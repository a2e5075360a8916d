"""Training: the loop, optimizers, schedules, evaluation, checkpoints."""

from xception_np.training.checkpoints import Checkpoint, load, save
from xception_np.training.evaluation import Evaluation, evaluate
from xception_np.training.optimizers import SGD
from xception_np.training.trainer import Progress, Settings, Trainer

__all__ = ["SGD", "Checkpoint", "Evaluation", "Progress", "Settings", "Trainer", "evaluate", "load", "save"]

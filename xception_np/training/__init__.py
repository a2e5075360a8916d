"""Training: the loop, optimizers, schedules, averaging, recipes, evaluation, checkpoints, runs."""

from xception_np.training.averaging import Average
from xception_np.training.checkpoints import Checkpoint, load, save
from xception_np.training.evaluation import Evaluation, evaluate
from xception_np.training.history import Progress, Validation
from xception_np.training.metrics import confusion, map_at_k
from xception_np.training.optimizers import SGD, Muon, RMSprop
from xception_np.training.recipes import RECIPES, Recipe, recipe
from xception_np.training.settings import Settings
from xception_np.training.trainer import Trainer
from xception_np.training.views import View, beside

__all__ = [
    "RECIPES",
    "SGD",
    "Average",
    "Checkpoint",
    "Evaluation",
    "Muon",
    "Progress",
    "RMSprop",
    "Recipe",
    "Settings",
    "Trainer",
    "Validation",
    "View",
    "beside",
    "confusion",
    "evaluate",
    "load",
    "map_at_k",
    "recipe",
    "save",
]

"""Pictures, and no mathematics. Every function returns a matplotlib figure."""

from xception_np.show.curves import training_curves
from xception_np.show.predictions import prediction_grid

__all__ = ["prediction_grid", "training_curves"]

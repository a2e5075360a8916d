"""Pictures, and no mathematics. Every function returns a matplotlib figure."""

from xception_np.show.bands import bands
from xception_np.show.comparison import compared_curves
from xception_np.show.confusion import confusion_matrix
from xception_np.show.cost_bars import cost_bars
from xception_np.show.curves import training_curves
from xception_np.show.explanation import explanation
from xception_np.show.feature_maps import feature_maps
from xception_np.show.memory_use import memory_use
from xception_np.show.picture_rows import picture_rows
from xception_np.show.predictions import prediction_grid
from xception_np.show.roofline import roofline
from xception_np.show.side_by_side import SideBySide, function_text, kernel_text
from xception_np.show.verdicts import verdicts

__all__ = [
    "SideBySide",
    "bands",
    "compared_curves",
    "confusion_matrix",
    "cost_bars",
    "explanation",
    "feature_maps",
    "function_text",
    "kernel_text",
    "memory_use",
    "picture_rows",
    "prediction_grid",
    "roofline",
    "training_curves",
    "verdicts",
]

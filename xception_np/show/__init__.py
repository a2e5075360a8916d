"""Pictures, and no mathematics. Every function returns a matplotlib figure."""

from xception_np.show.comparison import compared_curves
from xception_np.show.confusion import confusion_matrix
from xception_np.show.cost_bars import cost_bars
from xception_np.show.curves import training_curves
from xception_np.show.depth_lines import depth_lines
from xception_np.show.explanation import explanation
from xception_np.show.feature_maps import feature_maps
from xception_np.show.grouped_bars import grouped_bars
from xception_np.show.kernels import kernels
from xception_np.show.ladder import ladder
from xception_np.show.module_bars import module_bars
from xception_np.show.predictions import prediction_grid
from xception_np.show.roofline import roofline
from xception_np.show.stacked_bars import stacked_bars
from xception_np.show.summed_maps import summed_maps
from xception_np.show.treemap import treemap

__all__ = [
    "compared_curves",
    "confusion_matrix",
    "cost_bars",
    "depth_lines",
    "explanation",
    "feature_maps",
    "grouped_bars",
    "kernels",
    "ladder",
    "module_bars",
    "prediction_grid",
    "roofline",
    "stacked_bars",
    "summed_maps",
    "training_curves",
    "treemap",
]

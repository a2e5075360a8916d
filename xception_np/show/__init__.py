"""Pictures, and no mathematics. Every function returns a matplotlib figure."""

from xception_np.show.axis_windows import axis_windows
from xception_np.show.comparison import compared_curves
from xception_np.show.confusion import confusion_matrix
from xception_np.show.cost_bars import cost_bars
from xception_np.show.curves import training_curves
from xception_np.show.depth_lines import depth_lines
from xception_np.show.explanation import explanation
from xception_np.show.feature_maps import feature_maps
from xception_np.show.grouped_bars import grouped_bars
from xception_np.show.image_rows import image_rows
from xception_np.show.kernel_accesses import kernel_accesses
from xception_np.show.kernels import kernels
from xception_np.show.ladder import ladder
from xception_np.show.module_bars import module_bars
from xception_np.show.module_diagrams import module_diagrams
from xception_np.show.number_grids import Grid, number_grids
from xception_np.show.predictions import prediction_grid
from xception_np.show.rank_errors import rank_errors
from xception_np.show.roofline import roofline
from xception_np.show.spectrum import connections, spectrum
from xception_np.show.stacked_bars import stacked_bars
from xception_np.show.summed_maps import summed_maps
from xception_np.show.treemap import treemap
from xception_np.show.widgets import slider

__all__ = [
    "Grid",
    "axis_windows",
    "compared_curves",
    "confusion_matrix",
    "connections",
    "cost_bars",
    "depth_lines",
    "explanation",
    "feature_maps",
    "grouped_bars",
    "image_rows",
    "kernel_accesses",
    "kernels",
    "ladder",
    "module_bars",
    "module_diagrams",
    "number_grids",
    "prediction_grid",
    "rank_errors",
    "roofline",
    "slider",
    "spectrum",
    "stacked_bars",
    "summed_maps",
    "training_curves",
    "treemap",
]

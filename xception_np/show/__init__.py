"""Pictures, and no mathematics.

Functions return matplotlib figures; `slider` a widget, and `function_text` and `kernel_text` strings.
"""

from xception_np.show.axis_windows import axis_windows
from xception_np.show.bands import bands
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
from xception_np.show.memory_use import memory_use
from xception_np.show.module_bars import module_bars
from xception_np.show.module_diagrams import module_diagrams
from xception_np.show.number_grids import Grid, number_grids
from xception_np.show.picture_rows import picture_rows
from xception_np.show.predictions import prediction_grid
from xception_np.show.rank_errors import rank_errors
from xception_np.show.roofline import roofline
from xception_np.show.side_by_side import SideBySide, function_text, kernel_text
from xception_np.show.spectrum import connections, spectrum
from xception_np.show.stacked_bars import stacked_bars
from xception_np.show.summed_maps import summed_maps
from xception_np.show.treemap import treemap
from xception_np.show.verdicts import verdicts
from xception_np.show.widgets import slider

__all__ = [
    "Grid",
    "SideBySide",
    "axis_windows",
    "bands",
    "compared_curves",
    "confusion_matrix",
    "connections",
    "cost_bars",
    "depth_lines",
    "explanation",
    "feature_maps",
    "function_text",
    "grouped_bars",
    "image_rows",
    "kernel_accesses",
    "kernel_text",
    "kernels",
    "ladder",
    "memory_use",
    "module_bars",
    "module_diagrams",
    "number_grids",
    "picture_rows",
    "prediction_grid",
    "rank_errors",
    "roofline",
    "slider",
    "spectrum",
    "stacked_bars",
    "summed_maps",
    "training_curves",
    "treemap",
    "verdicts",
]

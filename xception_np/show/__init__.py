"""Pictures, and no mathematics. Every function returns a matplotlib figure."""

from xception_np.show.comparison import compared_curves
from xception_np.show.confusion import confusion_matrix
from xception_np.show.cost_bars import cost_bars
from xception_np.show.curves import training_curves
from xception_np.show.explanation import explanation
from xception_np.show.feature_maps import feature_maps
from xception_np.show.module_diagrams import module_diagrams
from xception_np.show.predictions import prediction_grid
from xception_np.show.roofline import roofline
from xception_np.show.spectrum import connections, spectrum
from xception_np.show.widgets import slider

__all__ = [
    "compared_curves",
    "confusion_matrix",
    "connections",
    "cost_bars",
    "explanation",
    "feature_maps",
    "module_diagrams",
    "prediction_grid",
    "roofline",
    "slider",
    "spectrum",
    "training_curves",
]

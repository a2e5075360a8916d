"""An average that follows: moving statistics, and Polyak's averaged weights.

average = average + (1 - keep) * (value - average)        so what was there keeps the share `keep`
"""

from xception_np import implementations
from xception_np.ops import spec


def follow(average, values, keep, *, implementation=None) -> None:
    """Move an average towards values.

    Parameters
    ----------
    average : array of any shape, float32 or float64
        Written to.
    values : array like average
    keep : float
        0 <= keep <= 1.

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    spec.alike(average=average, values=values)
    implementations.load(__name__, implementation, average=average).follow(average, values, keep)

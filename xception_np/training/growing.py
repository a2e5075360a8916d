"""Small pictures first: a network without a fixed input size learns its first lessons on pictures that cost less.

A step on pictures of half the height and width takes a quarter of the multiply-adds. The side of the pictures is

    size(progress) = full * (start + (1 - start) * min(1, progress / until))          in steps of an eighth of the full size

to the nearest, so that the last part of the run, 1 - `until` and a little more, sees the pictures as they are.
Source: the idea is Howard's, in fast.ai's DAWNBench entry (2018), for ImageNet.
"""

from functools import cache

import numpy as np

from xception_np import arrays


def size(full: int, start: float, until: float, progress: float) -> int:
    """The side of the pictures, in pixels, when this part of a run is over."""
    if progress >= until:
        return full
    share = start + (1 - start) * progress / until
    return max(1, round(share * 8) * full // 8)


def shrunk(x: np.ndarray, size: int) -> np.ndarray:
    """Pictures (N, H, H, C) scaled down to (N, size, size, C): each new pixel is the mean of the area that it covers.

    y = A x A.T for each picture and channel,  A (size, H) from `_areas`
    """
    if x.shape[1] == size:
        return x
    areas = _areas(x.shape[1], size).astype(x.dtype)
    images, height, width, channels = x.shape
    rows = arrays.empty((images, size, width * channels), x.dtype)
    np.matmul(areas, x.reshape(images, height, width * channels), out=rows)
    columns = np.kron(areas.T, np.eye(channels, dtype=x.dtype))  # (W*C, size*C)
    y = arrays.empty((images, size, size, channels), x.dtype)
    np.matmul(rows.reshape(-1, width * channels), columns, out=y.reshape(-1, size * channels))
    return y


@cache
def _areas(old: int, new: int) -> np.ndarray:
    """(new, old): what part of each new pixel's length an old pixel covers."""
    edges = np.arange(new + 1) * old / new
    starts = np.arange(old)
    covered = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return covered.clip(0) * new / old

"""Test-time augmentation: a trained network is asked about several views of a picture, and its answers are averaged.

    p = mean over the views of softmax(logits of the view)

Probabilities rather than logits: their mean is a distribution again, whose logarithm is a loss, and a view that the network is
very sure of has one vote like the others, where its logits could outweigh all of theirs.
"""

from typing import NamedTuple

import numpy as np

from xception_np.errors import InputError, is_whole

LARGEST_SHIFT = 4  # pixels: what is moved further has lost a part of the picture


class View(NamedTuple):
    """A way to look at pictures; as they are if nothing is said.

    mirrored : left and right changed
    down, right : pixels moved, after mirroring; negative for up and left
    """

    mirrored: bool = False
    down: int = 0
    right: int = 0

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Prepared pictures (N, H, W, 3) as seen so; where they moved away from, their edge is repeated."""
        if self == View():
            return x
        height, width = x.shape[1:3]
        rows = (np.arange(height) - self.down).clip(0, height - 1)
        columns = (np.arange(width) - self.right).clip(0, width - 1)
        if self.mirrored:
            columns = width - 1 - columns
        return np.ascontiguousarray(x[:, rows[:, None], columns])

    def __str__(self):
        moved = ((self.down, "down", "up"), (self.right, "right", "left"))
        words = ["mirrored"] * self.mirrored + [f"{abs(by)} {to if by > 0 else back}" for by, to, back in moved if by]
        return " ".join(words) or "as it is"


def beside(mirrored: bool, shift: int = 0) -> tuple[View, ...]:
    """The views to add to that of the picture as it is.

    Parameters
    ----------
    mirrored : bool
        Whether its mirror image means the same; not so for digits.
    shift : int
        By how many pixels it, and its mirror image, are moved in each of four directions; 0 for not at all.

    Raises
    ------
    InputError
        If the shift is negative or large.
    """
    if not is_whole(shift) or not 0 <= shift <= LARGEST_SHIFT:
        raise InputError(f"shift is {shift!r}; expected a number of pixels, 0 to {LARGEST_SHIFT}")
    moves = [(0, 0), (-shift, 0), (shift, 0), (0, -shift), (0, shift)] if shift else [(0, 0)]
    views = [View(side, *move) for side in ((False, True) if mirrored else (False,)) for move in moves]
    return tuple(views[1:])

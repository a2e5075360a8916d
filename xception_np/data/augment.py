"""New pictures out of old ones, for training: the same thing mirrored, or a few pixels further.

What happens to a picture is a function of (seed, epoch, the picture's index) alone: it depends neither on the batch
that the picture is in nor on the thread that prepares it.
"""

from dataclasses import dataclass

import numpy as np

from xception_np.data.dataset import Dataset, check_images
from xception_np.errors import InputError
from xception_np.random import Purpose, check_seed, philox


@dataclass(frozen=True)
class Augmentation:
    """Mirror and shift pictures at random.

    Attributes
    ----------
    flip : bool
        Mirror left and right, with probability 1/2.
    shift : int
        Move by up to this many pixels, up or down, left or right, each distance as likely as another. What comes in at
        an edge is black: the same as a random crop out of the picture with a black margin.
    """

    flip: bool
    shift: int

    def __post_init__(self):
        if not isinstance(self.shift, int) or self.shift < 0:
            raise InputError(f"shift is {self.shift!r}; expected a number of pixels, 0 or more")

    @classmethod
    def of(cls, train: Dataset) -> "Augmentation":
        """The augmentation that suits one of our data sets."""
        if train.name not in RECIPES:
            raise InputError(f"there is no augmentation for {train.name!r}; expected one of {', '.join(map(repr, RECIPES))}")
        return RECIPES[train.name]

    def apply(self, images: np.ndarray, indices: np.ndarray, seed: int, epoch: int) -> np.ndarray:
        """Augment a batch.

        Parameters
        ----------
        images : (N, H, W, 3) array of uint8
        indices : (N,) array of integers
            The pictures' places in their data set.
        seed, epoch : int
            From 0 to 2**32 - 1.

        Returns
        -------
        (N, H, W, 3) array of uint8

        Raises
        ------
        InputError
            If the images are not bytes, there is not one index for each, or a number does not fit into 32 bits.
        """
        check_images(images)
        if np.shape(indices) != images.shape[:1]:
            raise InputError(f"indices has shape {np.shape(indices)}; expected {images.shape[:1]}, one for each image")
        count, height, width, _ = images.shape
        margin = self.shift
        padded = np.zeros((count, height + 2 * margin, width + 2 * margin, images.shape[3]), np.uint8)
        padded[:, margin : margin + height, margin : margin + width] = images
        coin, top, left, _ = _words(indices, seed, epoch).T.astype(np.uint64)
        flipped = (self.flip & (coin >> 31 == 1)).tolist()
        tops, lefts = ((word * (2 * margin + 1) >> 32).tolist() for word in (top, left))  # 0 to 2 * margin
        result = np.empty_like(images)
        for n in range(count):
            crop = padded[n, tops[n] : tops[n] + height, lefts[n] : lefts[n] + width]
            result[n] = crop[:, ::-1] if flipped[n] else crop
        return result


RECIPES = {
    "digits": Augmentation(flip=False, shift=3),  # a mirrored digit is no digit
    "cifar10": Augmentation(flip=True, shift=4),  # He et al., "Deep Residual Learning" (CVPR 2016), section 4.2
}


def check_epoch(epoch) -> int:
    """The epoch as an int, if it fits into 32 bits."""
    if not isinstance(epoch, int | np.integer) or not 0 <= epoch < 2**32:
        raise InputError(f"epoch is {epoch!r}; expected an integer from 0 to 4294967295")
    return int(epoch)


def _words(indices: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The first four words of each picture's stream, (N, 4): what random.words gives, for many streams at once."""
    counter = np.zeros((len(indices), 4), np.uint32)
    counter[:, 2], counter[:, 3] = check_epoch(epoch), indices
    return philox(counter, (check_seed(seed), Purpose.AUGMENTATION))

"""What is done to training pictures at random, in one place: where to look, what to change, what to mix.

What happens to a picture is a function of (seed, epoch, the picture's index) alone: it depends neither on the thread that
prepares it nor, mixup's partner apart, on the batch that it is in.
"""

from dataclasses import dataclass

import numpy as np

from xception_np.data.dataset import Pictures, Window, check_images
from xception_np.data.draws import Draws
from xception_np.data.image_folder import ImageFolder
from xception_np.data.transforms import AlternatingFlip, Flip, PaddedCrop, RandomResizedCrop, Transform
from xception_np.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training pictures.

    Attributes
    ----------
    transforms : tuple of Transform
        Changes of pixels, one after another; each kind once, and one kind of flip.
    window : RandomResizedCrop or None
        Which part of a picture is read; all of it without one.
    mixup : float
        Alpha of the distribution that neighbours in a batch are mixed by; 0 for never.
    """

    transforms: tuple[Transform, ...] = ()
    window: RandomResizedCrop | None = None
    mixup: float = 0.0

    def __post_init__(self):
        kinds = [type(transform).__name__ for transform in self.transforms]
        uses = [transform.use for transform in self.transforms]
        if any(uses.count(use) > 1 for use in uses):
            raise InputError(f"transforms are {', '.join(kinds)}; expected each kind once, for each has its own random numbers")
        if not 0 <= self.mixup <= 10:
            raise InputError(f"mixup is {self.mixup!r}; expected alpha from 0 (never) to 10")

    @classmethod
    def of(cls, train: Pictures) -> "Augmentation":
        """The augmentation that suits one of our data sets, or pictures in folders."""
        if isinstance(train, ImageFolder):
            return FOLDERS
        name = train.name.partition(":")[0]
        if name not in RECIPES:
            raise InputError(
                f"there is no augmentation for {train.name!r}; expected one of {', '.join(map(repr, RECIPES))}, or augmentation="
            )
        return RECIPES[name]

    @property
    def mirrors(self) -> bool:
        """Whether it shows mirror images, so that a network learns that they mean the same."""
        return any(isinstance(transform, Flip | AlternatingFlip) for transform in self.transforms)

    def check_size(self, size: int) -> None:
        """InputError if pictures of this size could be moved out of sight."""
        for transform in self.transforms:
            if isinstance(transform, PaddedCrop) and transform.margin >= size:
                raise InputError(f"margin is {transform.margin}; expected less than {size}, the size of the pictures")

    def windows(self, draws: Draws) -> Window | None:
        """Where to look in each picture, for `Pictures.read`."""
        return None if self.window is None else self.window.window(draws)

    def apply(self, images: np.ndarray, draws: Draws) -> np.ndarray:
        """Change a batch's pixels.

        Parameters
        ----------
        images : (N, H, W, 3) array of uint8
        draws : Draws
            For the same N pictures.

        Returns
        -------
        (N, H, W, 3) array of uint8

        Raises
        ------
        InputError
            If the images are not bytes, or there are not as many draws.
        """
        check_images(images)
        if len(draws) != len(images):
            raise InputError(f"draws are for {len(draws)} pictures; expected {len(images)}, the number of images")
        for transform in self.transforms:
            images = transform.apply(images, draws)
        return images


RECIPES = {
    "digits": Augmentation((PaddedCrop(3),)),  # a mirrored digit is no digit
    "glyphs": Augmentation(),  # a mirrored pattern may be another one
    "cifar10": Augmentation((AlternatingFlip(), PaddedCrop(3, "reflect"))),
    "cifar100": Augmentation((AlternatingFlip(), PaddedCrop(3, "reflect"))),
}
FOLDERS = Augmentation((Flip(),), RandomResizedCrop((0.25, 1.0)))

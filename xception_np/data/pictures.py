"""Picture files as arrays."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from xception_np.data.dataset import Box
from xception_np.errors import InputError, check_file

MAX_PIXELS = 25_000_000  # a larger picture is refused before it is decoded: up to 9 bytes a pixel would be needed
MAX_JPEG_PIXELS = 50_000_000  # of a JPEG that is not progressive: it is decoded at a smaller size at once
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
_KINDS = "a JPEG, PNG, GIF, BMP or WebP file"
_MARGIN = 4  # pixels at a border that a bicubic filter reaches over
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = {  # EXIF's orientation -> what turns the picture upright
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image[::-1].swapaxes(0, 1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image[:, ::-1].swapaxes(0, 1),
}

# Pillow warns of what is refused here anyway, and of EXIF data that nobody needs: one sentence is enough.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


def load_picture(path: str | os.PathLike, size: int, window=None, scaled: int | None = None) -> np.ndarray:
    """Read a picture as a network of this input size sees it.

    Scaled so that the shorter side fits and cut to the middle, converted to RGB (transparency over black), turned as its EXIF tag
    says.

    Parameters
    ----------
    path : path of a JPEG, PNG, GIF, BMP or WebP file
    size : int
        Height and width of the result, in pixels.
    window : function of (height, width) as stored, optional
        The part of the picture to look at instead of its middle: left, upper, right, lower.
    scaled : int, optional
        Pixels that the shorter side is scaled to before the middle is cut out, if that is to be more than `size`: as published
        networks are measured, with a picture that is decoded in full and scaled as a whole.

    Returns
    -------
    (size, size, 3) array of uint8

    Raises
    ------
    InputError
        If the file is missing, not a picture, or too large.
    """
    check_file("picture", Path(path), _KINDS)
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = _checked_size(path, picture, whole=scaled is not None)
            left, upper, right, lower = box = (window or middle)(height, width)
            # A JPEG can be decoded at 1/2, 1/4 or 1/8; not below twice what is needed, so that scaling stays ours.
            enough = (round(2 * size * width / (right - left)), round(2 * size * height / (lower - upper)))
            if scaled is None:
                picture.draft(None, enough)
            picture.load()
            across, down = picture.width / width, picture.height / height
            pixels = _in_three_colours(picture)
            turn = _UPRIGHT.get(_orientation(picture))
    except MemoryError:  # says nothing of the picture
        raise
    except Exception as error:
        raise _refusal(path, error) from error
    if scaled is not None and window is None:
        image = _middle_of_scaled(pixels, size, scaled)
        return image if turn is None else np.ascontiguousarray(turn(image))
    image = resize(pixels, (size, size), (box[0] * across, box[1] * down, box[2] * across, box[3] * down))
    return image if turn is None else np.ascontiguousarray(turn(image))


def check_picture(path: str | os.PathLike) -> None:
    """Read a file's first bytes only: InputError if it is not a picture, or too large a one."""
    check_file("picture", Path(path), _KINDS)
    try:
        with Image.open(path, formats=FORMATS) as picture:
            _checked_size(path, picture)
    except MemoryError:
        raise
    except Exception as error:
        raise _refusal(path, error) from error


def middle(height: int, width: int) -> Box:
    """The largest square in the middle of a picture."""
    side = min(height, width)
    left, upper = (width - side) / 2, (height - side) / 2
    return left, upper, left + side, upper + side


def resize(picture, size: tuple[int, int], box: Box) -> np.ndarray:
    """Scale a part of a picture (an array, or Pillow's own) to (width, height): (height, width, 3) of uint8."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    return np.ascontiguousarray(np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box))[..., :3])


def _middle_of_scaled(pixels: Image.Image, size: int, scaled: int) -> np.ndarray:
    """The middle of what the picture is with its shorter side scaled to `scaled`; no more of it is scaled than has to be."""
    target = [max(scaled, scaled * side // min(pixels.size)) for side in pixels.size]
    first = [round((side - size) / 2) for side in target]
    low = [max(0, start - _MARGIN) for start in first]
    high = [min(side, start + size + _MARGIN) for side, start in zip(target, first, strict=True)]
    factors = [side / new for side, new in zip(pixels.size, target, strict=True)]
    box = (low[0] * factors[0], low[1] * factors[1], high[0] * factors[0], high[1] * factors[1])
    image = resize(pixels, (high[0] - low[0], high[1] - low[1]), box)
    left, upper = first[0] - low[0], first[1] - low[1]
    return np.ascontiguousarray(image[upper : upper + size, left : left + size])


def _checked_size(path, picture: Image.Image, whole: bool = False) -> tuple[int, int]:
    """Width and height of a picture that is not too large, `whole` if it is to be decoded at its full size."""
    width, height = picture.size
    is_jpeg = picture.format in ("JPEG", "MPO")  # the latter with further pictures behind the first, as some cameras write
    limit = MAX_JPEG_PIXELS if is_jpeg and "progressive" not in picture.info and not whole else MAX_PIXELS
    if width * height > limit:
        raise InputError(f"{path} has {width} x {height} pixels; expected at most {limit:,}")
    return width, height


def _in_three_colours(picture: Image.Image) -> Image.Image:
    """Any of Pillow's modes as RGB; with transparency as RGBa, whose colours are multiplied by how opaque they are: over black."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        grey = (np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8)
        if isinstance(hidden := picture.info.get("transparency"), int):  # one grey that is transparent
            grey[np.asarray(picture) == hidden] = 0
        return Image.fromarray(grey).convert("RGB")
    if picture.has_transparency_data:
        return picture.convert("RGBA").convert("RGBa")
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # of a picture whose EXIF data is damaged the pixels are still good
        return 1


def _refusal(path, error: Exception) -> InputError:
    """The sentence for whatever a decoder says to a damaged file: it may raise anything at all."""
    if isinstance(error, InputError):
        return error
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return InputError(f"{path} has far too many pixels; expected at most {MAX_PIXELS:,}")
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path} cannot be read as a picture; expected {_KINDS}")
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path} cannot be read as a picture ({reason}); expected {_KINDS}, whole and undamaged")

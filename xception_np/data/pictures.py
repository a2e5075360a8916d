"""Picture files as arrays."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from xception_np.errors import InputError

MAX_PIXELS = 50_000_000  # decoded, that is 150 MB; a larger picture is refused before it is decoded


def load_picture(path: str | Path, size: int) -> np.ndarray:
    """Read a picture as a network of this input size sees it.

    Turned as its EXIF tag says, converted to RGB (transparency over black), scaled so that the shorter side fits, cut to the
    middle.

    Parameters
    ----------
    path : path of a JPEG, PNG, GIF, BMP or WebP file
    size : int
        Height and width of the result, in pixels.

    Returns
    -------
    (size, size, 3) array of uint8

    Raises
    ------
    InputError
        If the file is missing, not a picture, or too large.
    """
    try:
        with Image.open(path, formats=("JPEG", "PNG", "GIF", "BMP", "WEBP")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InputError(f"{path} has {picture.width} x {picture.height} pixels; expected at most {MAX_PIXELS:,}")
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except FileNotFoundError as error:
        raise InputError(f"picture {path} does not exist; expected the path of a JPEG or PNG file") from error
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as a picture; expected a JPEG, PNG, GIF, BMP or WebP file") from error
    black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
    opaque = Image.alpha_composite(black, upright).convert("RGB")
    return np.asarray(ImageOps.fit(opaque, (size, size), Image.Resampling.BICUBIC))

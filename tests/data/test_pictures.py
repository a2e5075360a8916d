"""Picture files of all kinds become RGB of the right size, and everything else is refused in a sentence."""

import numpy as np
import pytest
from PIL import Image

from xception_np.data import pictures
from xception_np.errors import InputError


def saved(path, array, mode=None, **options):
    Image.fromarray(array, mode).save(path, **options)
    return path


def test_a_picture_of_the_right_size_is_read_as_it_is(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(pictures.load_picture(saved(tmp_path / "a.png", array), 32), array)


def test_grey_palette_and_transparent_pictures_become_rgb(tmp_path):
    grey = np.full((8, 8), 100, np.uint8)
    np.testing.assert_array_equal(pictures.load_picture(saved(tmp_path / "grey.png", grey), 8), 100)
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "palette.png", 8), 100)
    transparent = np.zeros((8, 8, 4), np.uint8)
    transparent[..., :3] = 255
    np.testing.assert_array_equal(pictures.load_picture(saved(tmp_path / "clear.png", transparent), 8), 0)
    Image.fromarray(grey).convert("CMYK").save(tmp_path / "cmyk.jpg")
    assert pictures.load_picture(tmp_path / "cmyk.jpg", 8).shape == (8, 8, 3)


def test_the_middle_is_kept(tmp_path):
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 200
    np.testing.assert_array_equal(pictures.load_picture(saved(tmp_path / "wide.png", wide), 8), 200)


def test_exif_orientation_is_followed(tmp_path):
    array = np.zeros((16, 16, 3), np.uint8)
    array[:8] = 255
    picture = Image.fromarray(array)
    exif = picture.getexif()
    exif[0x0112] = 3  # turned by 180 degrees
    picture.save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "turned.png", 16), array[::-1])


def test_what_is_no_picture_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="does not exist"):
        pictures.load_picture(tmp_path / "nothing.png", 8)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        pictures.load_picture(tmp_path / "text.png", 8)
    with pytest.raises(InputError, match="cannot be read as a picture"):
        pictures.load_picture(tmp_path, 8)
    path = saved(tmp_path / "short.png", np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a picture"):
        pictures.load_picture(path, 8)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="16 x 16 pixels; expected at most 100"):
        pictures.load_picture(saved(tmp_path / "large.png", np.zeros((16, 16, 3), np.uint8)), 8)

"""Picture files of all kinds become RGB of the right size, and everything else is refused in a sentence."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [(16, 16, 3), (16, 30, 3), (30, 16, 3)])
def test_exif_orientation_is_followed(tmp_path, orientation, shape):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as turned:
        expected = np.asarray(ImageOps.fit(ImageOps.exif_transpose(turned), (16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "turned.png", 16), expected)


def test_damaged_exif_data_leaves_a_picture_as_it_is_stored(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "a.png", 16), array)


def test_a_part_of_a_picture_keeps_its_pixels(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    path = saved(tmp_path / "a.png", array)
    asked = []

    def window(height, width):
        asked.append((height, width))
        return 11, 2, 19, 10  # left, upper, right, lower

    np.testing.assert_array_equal(pictures.load_picture(path, 8, window), array[2:10, 11:19])
    assert asked == [(20, 30)]


@pytest.mark.parametrize(("window", "largest"), [(None, 5), (lambda height, width: (100, 40, 420, 360), 3)])
def test_a_large_jpeg_is_decoded_smaller_to_nearly_the_same(tmp_path, window, largest):
    wave = 128 + 100 * np.sin(np.arange(640) / 10)[:, None] * np.cos(np.arange(800) / 12)
    path = saved(tmp_path / "a.jpg", np.repeat(wave[..., None], 3, axis=2).astype(np.uint8), quality=95)
    with Image.open(path) as picture:
        box = window(640, 800) if window else (80, 0, 720, 640)
        expected = np.asarray(picture.resize((40, 40), Image.Resampling.BICUBIC, box)).astype(int)
    assert abs(pictures.load_picture(path, 40, window) - expected).max() <= largest


def test_sixteen_bits_of_grey_lose_the_lower_eight(tmp_path):
    grey = (np.arange(64, dtype=np.uint16) * 1000).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "deep.png", 8)[..., 1], grey // 256)


def test_half_transparent_is_half_as_bright(tmp_path):
    array = np.full((8, 8, 4), 200, np.uint8)
    array[..., 3] = 128
    np.testing.assert_array_equal(pictures.load_picture(saved(tmp_path / "a.png", array), 8), 100)
    Image.fromarray(np.zeros((8, 8), np.uint8)).convert("P").save(tmp_path / "b.png", transparency=0)
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "b.png", 8), 0)


def test_one_grey_of_16_bits_may_be_transparent(tmp_path):
    grey = np.full((8, 8), 0x6400, np.uint16)
    grey[:, 4:] = 0xC800
    Image.fromarray(grey).save(tmp_path / "a.png", transparency=0xC800)
    np.testing.assert_array_equal(pictures.load_picture(tmp_path / "a.png", 8)[:, :, 0], [[100] * 4 + [0] * 4] * 8)


def test_a_picture_that_is_decoded_in_full_may_be_less_large(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    assert pictures.load_picture(tmp_path / "a.jpg", 8).shape == (8, 8, 3)
    with pytest.raises(InputError, match="64 x 64 pixels; expected at most 1,000"):
        pictures.load_picture(tmp_path / "a.jpg", 8, scaled=16)


def test_cmyk_is_converted(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=100)
    np.testing.assert_allclose(pictures.load_picture(tmp_path / "red.jpg", 8)[4, 4], [255, 0, 0], atol=3)


def bomb(path, width, height):
    """A picture whose header promises far more pixels than the file has."""
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", width, height)  # of the chunk IHDR, and its checksum
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    return path


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # as importing our module has it
@pytest.mark.parametrize(
    ("width", "height", "message"),
    [(5_000, 5_001, "5000 x 5001 pixels"), (10_000, 9_500, "10000 x 9500 pixels"), (20_000, 20_000, "far too many pixels")],
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, width, height, message):
    path = bomb(tmp_path / "a.png", width, height)
    for read in (lambda path: pictures.load_picture(path, 8), pictures.check_picture):
        with pytest.raises(InputError, match=rf"a\.png has {message}; expected at most 25,000,000"):
            read(path)


def test_a_bomb_costs_no_memory_and_no_second_sentence(tmp_path):
    """One is just small enough to be decoded, if only its pixels were there; of the other Pillow would warn."""
    program = (
        "import sys; from mutations_of_bytes import peak; from xception_np.data import pictures\n"
        "for path in sys.argv[1:]:\n"
        "    try: pictures.load_picture(path, 8)\n"
        "    except ValueError as error: print(error)\n"
        "print(peak())"
    )
    paths = bomb(tmp_path / "a.png", 5_000, 5_000), bomb(tmp_path / "b.png", 10_000, 9_500)
    command = [sys.executable, "-c", program, *paths]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[1] / "fuzzing", capture_output=True, text=True, timeout=120, check=True
    )
    first, second, peak = run.stdout.splitlines()
    assert "a.png cannot be read as a picture (image file is truncated" in first and "10000 x 9500 pixels" in second
    assert run.stderr == "" and int(peak) < 200e6


def test_a_jpeg_may_be_larger_if_it_can_be_decoded_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    monkeypatch.setattr(pictures, "MAX_JPEG_PIXELS", 500)
    array = np.full((20, 20, 3), 90, np.uint8)
    assert pictures.load_picture(saved(tmp_path / "a.jpg", array), 8).shape == (8, 8, 3)
    with pytest.raises(InputError, match="20 x 20 pixels; expected at most 100"):
        pictures.load_picture(saved(tmp_path / "b.jpg", array, progressive=True), 8)
    with pytest.raises(InputError, match="20 x 30 pixels; expected at most 500"):
        pictures.load_picture(saved(tmp_path / "c.jpg", np.zeros((30, 20, 3), np.uint8)), 8)


def test_a_jpeg_with_further_pictures_behind_it_is_one(tmp_path, monkeypatch):
    """As cameras write them that keep a small one for their screen."""
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    whole, small = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (8, 8))
    whole.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[small])
    pictures.check_picture(tmp_path / "a.jpg")
    assert (pictures.load_picture(tmp_path / "a.jpg", 8)[..., 0] > 200).all()


def test_what_is_no_picture_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="does not exist"):
        pictures.load_picture(tmp_path / "nothing.png", 8)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a picture"):
        pictures.load_picture(tmp_path / "text.png", 8)
    with pytest.raises(InputError, match="is not a file"):
        pictures.load_picture(tmp_path, 8)
    path = saved(tmp_path / "short.png", np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a picture"):
        pictures.load_picture(path, 8)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="16 x 16 pixels; expected at most 100"):
        pictures.load_picture(saved(tmp_path / "large.png", np.zeros((16, 16, 3), np.uint8)), 8)


@pytest.mark.parametrize("read", [lambda path: pictures.load_picture(path, 8), pictures.check_picture])
def test_too_little_memory_says_nothing_of_the_picture(tmp_path, monkeypatch, read):
    def refuse(*_, **__):
        raise MemoryError

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(pictures, "_checked_size", refuse)
    with pytest.raises(MemoryError):
        read(tmp_path / "a.png")

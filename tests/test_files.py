"""Files that are written whole or not at all."""

import pytest

from xception_np.errors import InputError
from xception_np.files import replacing


def test_what_cannot_be_written_is_said_of_the_file_itself(tmp_path):
    (tmp_path / "README").write_text("text")
    path = tmp_path / "README" / "x.bin"
    with pytest.raises(InputError, match=r"cannot write .*x\.bin: Not a directory; the former"), replacing(path) as temporary:
        temporary.write_bytes(b"")


def test_a_name_that_is_too_long(tmp_path):
    path = tmp_path / ("x" * 255)
    with pytest.raises(InputError, match=r"cannot write .*: File name too long; the former file"), replacing(path) as temporary:
        temporary.write_bytes(b"")

"""Files that are written whole or not at all."""

import os
import zipfile

import pytest

from xception_np.errors import InputError
from xception_np.files import is_zip, replacing


def test_what_cannot_be_written_is_said_of_the_file_itself(tmp_path):
    (tmp_path / "README").write_text("text")
    path = tmp_path / "README" / "x.bin"
    with pytest.raises(InputError, match=r"cannot write .*x\.bin: Not a directory$"), replacing(path) as temporary:
        temporary.write_bytes(b"")


def test_what_is_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "whole", "w") as archive:
        archive.writestr("a", b"")
    assert is_zip(tmp_path / "whole")
    in_parts = b"PK\6\7" + (1).to_bytes(4, "little") + bytes(12) + b"PK\5\6" + bytes(18)  # 64 bits, on the second of several disks
    (tmp_path / "in parts").write_bytes(in_parts)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.is_zipfile(tmp_path / "in parts")
    os.mkfifo(tmp_path / "pipe")
    assert not any(is_zip(tmp_path / name) for name in ("in parts", "pipe", "nothing"))


def test_a_name_that_is_too_long(tmp_path):
    path = tmp_path / ("x" * 255)
    with pytest.raises(InputError, match=r"cannot write .*: File name too long$"), replacing(path) as temporary:
        temporary.write_bytes(b"")

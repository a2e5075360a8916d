"""Texts side by side, verdicts of checks, and what kernels ask of memory."""

from pathlib import Path

import numpy as np
import pytest

from xception_np.emulator import BufferUse, LineUse, Report
from xception_np.errors import InputError
from xception_np.ops.depthwise_conv import reference
from xception_np.show import SideBySide, function_text, kernel_text, memory_use, verdicts

KERNELS = Path(reference.__file__).with_name("gpu.cu")


def test_texts_are_parts_of_the_package():
    assert function_text(reference.forward, "for i, j", "return").splitlines()[1].startswith("    y_split[")
    assert function_text(reference.forward).startswith("def forward(x, weight, geometry):")
    kernel = kernel_text(KERNELS, "backward_x", "REAL sum")
    assert kernel.startswith("REAL sum = 0;") and kernel.endswith("dx[k] = sum;")
    assert kernel_text(KERNELS, "forward").endswith("}")


def test_texts_that_are_not_there():
    with pytest.raises(InputError, match=r"kernel is 'sideways'; expected one that gpu\.cu has"):
        kernel_text(KERNELS, "sideways")
    with pytest.raises(InputError, match="text is 'nonsense'"):
        function_text(reference.forward, "nonsense")


def test_a_table_of_texts_escapes_them():
    table = SideBySide(["NumPy", "CUDA"], {"forward": ["a < b", "c & d"]})
    html = table._repr_html_()
    assert html.count("<td") == 2 and html.count("<tr>") == 3
    assert "a &lt; b" in html and "c &amp; d" in html
    assert repr(table) == "forward, NumPy\na < b\n\nforward, CUDA\nc & d"
    with pytest.raises(InputError, match="part forward has 1 texts; expected 2"):
        SideBySide(["NumPy", "CUDA"], {"forward": ["a"]})


def test_a_dot_for_every_bug_and_check(tmp_path):
    caught = np.array([[True, False, True], [False, False, True]])
    figure = verdicts(["one", "two"], ["by hand", "differences, dy = 1", "adjoint"], caught, "which")
    axes = figure.axes[0]
    noticed, missed = axes.collections
    assert sorted(map(tuple, noticed.get_offsets().tolist())) == [(0, 0), (2, 0), (2, 1)]
    assert len(missed.get_offsets()) == 3
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]
    figure.savefig(tmp_path / "verdicts.png")


def test_bytes_and_pieces_of_every_array(tmp_path):
    buffers = {"x": BufferUse("x", 4096, 8192, 0, 4096, 0), "y": BufferUse("y", 1024, 0, 1024, 0, 1024)}
    lines = [
        LineUse(3, "x", "read", 10, 1280, 40, 0, 0),
        LineUse(4, "x", "read", 10, 1280, 80, 0, 0),
        LineUse(5, "y", "write", 4, 0, 16, 0, 0),
    ]
    report = Report("forward", "gpu.cu", (1, 1, 1), (32, 1, 1), 32, 1, 0, [], buffers, lines)
    figure = memory_use([report], "a kernel")
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["forward reads x", "forward writes y"]
    assert [bar.get_width() for bar in left.patches] == [8, 1, 4, 1]
    assert [text.get_text() for text in left.texts] == [" 2x", " 1x"]
    assert [bar.get_width() for bar in right.patches] == [6, 4]
    figure.savefig(tmp_path / "memory.png")

"""`xception-np emulate`."""

import json
import signal
from functools import partial
from pathlib import Path

import command
import pytest

from xception_np import ops
from xception_np.commands.emulate import sectors_drawn

RELU = (Path(ops.__file__).parent / "relu" / "gpu.cu").read_text()
run = partial(command.run, "emulate")


@pytest.mark.usefixtures("needs_compiler")
class TestRuns:
    def test_what_is_asked_of_arrays_and_by_lines(self, tmp_path):
        result = run("depthwise_conv", "--implementation", "emulated_naive", "--png", "accesses.png", cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[0] == "depthwise_conv, case '3x3', float32"
        assert (
            "forward: forward of depthwise_conv/gpu.cu, grid (1, 1, 1), block (256, 1, 1): 256 threads, 1 block, 0 barriers"
            in lines
        )
        words = [line.split() for line in lines]
        assert ["weight", "108", "3,120", "108", "0", "0"] in words  # (3, 3, 3, 1) floats; 3,120 / 4 taps inside
        assert any(
            line[1:5] == ["write", "y", "4", "480"] and line[6] == "8888" and "y[k] = sum;" in " ".join(line) for line in words
        )
        assert [line.split(":")[0] for line in lines if line.startswith(("forward", "backward"))] == [
            "forward",
            "backward",
            "backward",
        ]
        assert [line.split(": ")[2].split()[0] for line in lines if line.startswith("right: ")] == ["y", "dx", "dweight"]
        assert (tmp_path / "accesses.png").read_bytes().startswith(b"\x89PNG")

    def test_json_of_one_pass_in_random_order(self):
        arguments = (
            "batch_norm",
            "--implementation",
            "emulated_naive",
            "--case",
            "C=17",
            "--dtype",
            "float64",
            "--order",
            "random",
            "--seed",
            3,
            "--forward",
            "--json",
        )
        facts = json.loads(run(*arguments).stdout)
        assert (facts["case"], facts["dtype"], facts["order"], facts["seed"], facts["right"]) == (
            "C=17",
            "float64",
            "random",
            3,
            True,
        )
        names = [(launch["pass"], launch["kernel"]) for launch in facts["launches"]]
        assert names == [("forward", name) for name in ("sum_chunks", "add_chunks", "square_chunks", "add_chunks", "forward")]
        first = facts["launches"][0]
        assert {buffer["name"]: buffer["unique_read"] for buffer in first["buffers"]} == {"x": 3 * 2 * 17 * 8, "sums": 0}
        assert {line["buffer"]: line["sectors_per_request"] for line in first["lines"]}["x"] > 4
        assert [each["what"].split(": ")[1].split()[0] for each in facts["comparisons"]] == ["y", "dx", "dgamma", "dbeta"]

    def test_a_changed_kernel_in_its_place(self, tmp_path):
        """Change a line, and see what is said of it."""
        mine = tmp_path / "mine.cu"
        mine.write_text(RELU)
        assert run("relu", "--file", mine).returncode == 0
        mine.write_text(RELU.replace("if (k < count) y[k]", "if (k <= count) y[k]"))
        result = run("relu", "--file", mine, "--png", tmp_path / "wrong.png")
        assert (result.returncode, result.stderr) == (1, "")
        assert "/mine.cu:5: out of bounds: thread (120, 0, 0) of block (0, 0, 0) reads 4 bytes at byte 480 of x" in result.stdout
        assert "    if (k <= count) y[k] = " in result.stdout
        mine.write_text(RELU.replace("x[k] <= 0", "x[k] >= 0"))
        facts = json.loads(run("relu", "--file", mine, "--json").stdout)
        assert (facts["right"], facts["file"]) == (False, str(mine))
        assert [(each["what"], each["right"]) for each in facts["comparisons"]] == [
            (f"relu.emulated, 4 axes: {name} like reference", False) for name in ("y", "dx")
        ]

    def test_json_has_no_word_for_what_is_not_finite(self, tmp_path):
        """Of a number that was never written the error is infinite."""
        (tmp_path / "mine.cu").write_text(RELU.replace("if (k < count) y[k]", "if (k < count - 1) y[k]"))
        found = json.loads(run("relu", "--file", "mine.cu", "--json", cwd=tmp_path).stdout, parse_constant=pytest.fail)
        of_y, _ = found["comparisons"]
        assert (of_y["error"], of_y["right"]) == (None, False)

    def test_what_is_wrong_with_a_pass_that_was_not_asked_for(self, tmp_path):
        (tmp_path / "mine.cu").write_text(RELU.replace("if (k < count) dx[k]", "if (k <= count) dx[k]"))
        result = run("relu", "--file", "mine.cu", "--forward", cwd=tmp_path)
        assert result.returncode == 1
        assert "/mine.cu:11: out of bounds: thread (120, 0, 0)" in result.stdout

    def test_a_loop_without_an_end_ends(self, tmp_path):
        (tmp_path / "mine.cu").write_text(RELU.replace("if (k < count) y[k]", "while (k < count) y[k]"))
        result = run("relu", "--file", "mine.cu", cwd=tmp_path)
        assert result.returncode == 1
        assert "endless loop: thread (0, 0, 0) of block (0, 0, 0) goes on and on" in result.stdout

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_kernel_that_never_ends_can_be_ended(self, tmp_path, number):
        """Here the kernel sends the signal, to be sure that it runs, and goes on without a step that could be counted."""
        endless = f"raise({int(number)}); while (true) {{}}"
        changed = RELU.replace("if (k < count) y[k]", f"{endless} y[k]")
        (tmp_path / "mine.cu").write_text('extern "C" int raise(int);\n' + changed)
        assert run("relu", "--file", "mine.cu", cwd=tmp_path).returncode == -number

    @pytest.mark.parametrize("name", ["gpu", "gpu_tiled"])
    def test_a_file_stands_in_for_the_one_with_its_kernels(self, tmp_path, name):
        """Tiled kernels have the naive ones' names, and more."""
        text = (Path(ops.__file__).parent / "depthwise_conv" / f"{name}.cu").read_text()
        (tmp_path / "mine.cu").write_text(text)
        result = run("depthwise_conv", "--file", "mine.cu", "--forward", "--json", cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        assert {Path(launch["file"]).name for launch in json.loads(result.stdout)["launches"]} == {"mine.cu"}

    def test_a_file_that_would_not_be_launched_is_refused(self, tmp_path):
        (tmp_path / "mine.cu").write_text((Path(ops.__file__).parent / "depthwise_conv" / "gpu.cu").read_text())
        result = run("depthwise_conv", "--file", "mine.cu", "--implementation", "emulated", cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert "has kernels backward_weight, backward_x, forward; expected add_chunks," in result.stderr

    def test_a_pass_without_kernels_has_no_picture(self, tmp_path):
        result = run("add", "--backward", "--png", "add.png", cwd=tmp_path)
        assert (result.returncode, list(tmp_path.iterdir())) == (2, [])
        assert "no kernel was launched, so there is nothing to draw" in result.stderr

    def test_a_kernel_that_does_not_compile(self, tmp_path):
        (tmp_path / "mine.cu").write_text(RELU.replace("y[k] =", "z[k] ="))
        result = run("relu", "--file", "mine.cu", cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert "/mine.cu:5:" in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dephtwise"], "operation is 'dephtwise'; expected one of "),
        (["relu", "--case", "5 axes"], "case is '5 axes'; expected one of '4 axes', "),
        (["relu", "--dtype", "float16"], "dtype is 'float16'; expected one of 'float32', 'float64'"),
        (["relu", "--implementation", "cpu"], "implementation is 'cpu'; expected one of 'emulated'"),
        (["relu", "--order", "sideways"], "order is 'sideways'; expected one of 'forward', 'reverse', 'random'"),
        (["relu", "--seed", 5], "seed is 5, which changes nothing; expected it only with order 'random'"),
        (["relu", "--order", "random", "--seed", -1], "seed is -1; expected an integer from 0 to 4294967295"),
        (["relu", "--png", "notes.txt"], "png is notes.txt, a file that is no PNG picture"),
        (["relu", "--file", "nowhere.cu"], "file nowhere.cu does not exist; expected a .cu file with the kernels"),
        (["relu", "--file", "notes.txt"], "file notes.txt has kernels none; expected backward, forward, as gpu.cu has"),
        (["relu", "--file", "."], "file . is not a file and so cannot be read"),
        (["relu", "--file", "bytes.cu"], "file bytes.cu is not text"),
        (["separable_conv", "--file", "notes.txt"], "operation separable_conv has no kernels of its own"),
        ([], "missing argument 'OPERATION'"),
    ],
)
@pytest.mark.usefixtures("needs_compiler")
def test_a_mistake_is_one_sentence_and_status_2(tmp_path, arguments, sentence):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "bytes.cu").write_bytes(b"\xff\xfe\x00")
    result = run(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bytes.cu", "notes.txt"]


def test_without_a_compiler_it_says_how_to_come_by_one(tmp_path):
    result = run("relu", env={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert (result.returncode, result.stdout) == (2, "")
    assert "g++ was not found" in result.stderr
    assert "apt install g++" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("offsets", "drawn"),
    [
        ([], ""),
        ([4 * k for k in range(32)], "8888"),
        ([0] * 32, "+"),
        ([96, 224], "1...1"),
        ([0, 32 * 50], "1......................................." + " and 11 more"),
    ],
)
def test_sectors_are_drawn(offsets, drawn):
    assert sectors_drawn(offsets) == drawn

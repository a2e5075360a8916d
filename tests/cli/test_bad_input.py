"""What is wrong with files, folders and numbers: one sentence, status 2, no traceback, and every file as it was."""

import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib
from functools import partial

import pytest
from command import COMMAND, run
from PIL import Image

from xception_np.commands import demo
from xception_np.data.cifar_versions import CIFAR10
from xception_np.training import locking


def started(*arguments, prefix=(), **options):
    """As `run`, from the beginning: after a program that starts another one, or with other limits."""
    command = [*prefix, *COMMAND, *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **options)


def contents(folder):
    """Every file below a folder but those that nobody may read and locks, which say who held them last."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o777 and path.name != locking.NAME)
    return {path: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a few steps on digits."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    result = run("train", "--minutes", 0.01, "--batch", 32, "--out", folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def place(trained, tmp_path):
    """A folder with a run in it, finished, and another, interrupted."""
    shutil.copytree(trained, tmp_path / "finished")
    shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("result.json"))
    return tmp_path


def refused(place, arguments, sentence, run=run):
    before = contents(place)
    result = run(*arguments, cwd=place)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    *progress, last = result.stderr.splitlines()
    assert last.startswith("xception-np: ") and sentence in last
    assert not any("Traceback" in line or "Warning" in line for line in progress)
    assert {path: path.read_bytes() for path in before} == before
    return progress


# Data


def pictures(root, spoilt=None, classes=("cat", "dog")):
    """A folder of pictures: two of each class to train on, and one held out; one file's content may be another."""
    for part, count in (("train", 2), ("val", 1)):
        for name in classes:
            folder = root / part / name
            folder.mkdir(parents=True)
            for k in range(count):
                Image.effect_noise((40, 40), 50).save(folder / f"{k}.png")
    if spoilt is not None:
        (root / "train" / classes[0] / "0.png").write_bytes(spoilt)
    return root


def bomb():
    """A PNG file of 200 bytes that wants 30 gigabytes."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def half_a_picture():
    buffer = io.BytesIO()
    Image.effect_noise((40, 40), 50).save(buffer, "PNG")
    return buffer.getvalue()[:700]


def archive(path, names, content=b"x" * 10_000, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path.read_bytes()


def truncated_archive(place):
    (place / "data").write_bytes(archive(place / "whole", CIFAR10.members)[:80])


def corrupt_archive(place):
    whole = bytearray(archive(place / "whole", ["data_batch_1.bin"], bytes(10_000 * CIFAR10.record)))
    half = len(whole) // 2
    whole[half : half + 100] = bytes(100)
    (place / "data").write_bytes(whole)


def cifar(first_record=b""):
    """CIFAR-10 of the right names and sizes, whose pictures are black: files with a hole for content."""

    def make(place):
        folder = place / "data"
        folder.mkdir()
        for name, member in CIFAR10.members.items():
            with open(folder / name, "wb") as file:
                file.write(first_record)
                file.truncate(member.records * CIFAR10.record)

    return make


def of_pictures(spoilt=None, classes=("cat", "dog")):
    return lambda place: pictures(place / "data", spoilt, classes)


def of_one_colour(place):
    for path in pictures(place / "data").glob("*/*/*"):
        Image.new("RGB", (40, 40), (0, 90, 20)).save(path)


def empty_class(place):
    shutil.rmtree(pictures(place / "data") / "val" / "dog")
    (place / "data" / "val" / "dog").mkdir()


def only_to_train_on(place):
    shutil.rmtree(pictures(place / "data") / "val")


TRAIN = ["train", "--data", "data", "--out", "new"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda place: None, "data is 'data'; expected 'digits'"),
        (lambda place: (place / "data").write_bytes(b""), "data is not a tar archive"),
        (lambda place: (place / "data").write_bytes(os.urandom(5000)), "data is not a tar archive"),
        (lambda place: (place / "data").mkdir(), "data has none of data_batch_1.bin"),
        (lambda place: os.mkfifo(place / "data"), "data is neither a directory nor a file"),
        (lambda place: (place / "data").symlink_to("/dev/zero"), "data is neither a directory nor a file"),
        (truncated_archive, "data cannot be read"),
        (corrupt_archive, "data cannot be read"),
        (lambda place: archive(place / "data", ["readme"]), "data has none of data_batch_1.bin"),
        (lambda place: archive(place / "data", CIFAR10.members), "data_batch_1.bin has 10000 bytes; expected 30730000"),
        (lambda place: archive(place / "data", CIFAR10.pickled), "is CIFAR-10's Python version, which is pickled and never read"),
        (cifar(), "data_batch_1.bin has SHA-1"),
        (cifar(b"\xff"), "data_batch_1.bin has SHA-1"),  # a label out of range is an altered file, too
        (of_pictures(b""), "0.png cannot be read as a picture"),
        (of_pictures(b"hello"), "0.png cannot be read as a picture"),
        (of_pictures(bomb()), "0.png has far too many pixels"),
        (of_pictures(half_a_picture()), "0.png cannot be read as a picture"),
        (of_pictures(classes=("cat",)), "data/train has 1 class; expected two or more"),
        (lambda place: (place / "data" / "val" / "cat").mkdir(parents=True), "data has no folder train"),
        (of_one_colour, "the training pictures have one value alone in a channel (0, 90, 20)"),
        (empty_class, "data/val/dog has no pictures"),
        (only_to_train_on, "data has no folder val"),
    ],
)
def test_data(tmp_path, make, sentence):
    make(tmp_path)
    refused(tmp_path, [*TRAIN, "--batch", 2, "--size", 32], sentence)
    assert not (tmp_path / "new" / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--batch", 5], "batch is 5; expected at most the number of pictures to train on, 4"),
        (["--batch", 10**12], "batch is 1000000000000; expected at most the number"),
        (["--size", 0], "size is 0; expected the pictures' height and width in pixels, 1 to 4096"),
        (["--size", -32], "size is -32; expected"),
        (["--size", 10**6], "size is 1000000; expected"),
        (["--validation", 4], "validation is 4; expected fewer pictures than there are to train on, 4"),
        (["--data", ""], "expected the binary version"),
    ],
)
def test_sizes(tmp_path, options, sentence):
    pictures(tmp_path / "data")
    refused(tmp_path, [*TRAIN, *options], sentence)
    assert not (tmp_path / "new").exists()


OPTIONS = {
    "epochs": [0, -1],
    "minutes": [0, -1, "nan", "inf"],
    "batch": [0, -(10**9)],
    "lr": [0, -1, "nan", "inf", "-inf"],
    "momentum": [-0.1, 1, "nan"],
    "weight-decay": [-1e-9, 1, "nan"],
    "clip": [-1, "nan", "inf"],
    "warmup": [-0.1, 1, "nan"],
    "decay-factor": [0, 1.1, "nan"],
    "decay-every": [0, -1, "nan"],
    "label-smoothing": [-0.1, 1, "nan"],
    "dropout": [-0.1, 1, "nan"],
    "averaging": [-0.1, 1, "nan"],
    "validation": [-1, 10**9],
    "save-seconds": [0, -1, "nan"],
    "save-steps": [-1],
    "seed": [-1, 2**32],
    "optimizer": ["adam", ""],
    "schedule": ["step", ""],
    "model": ["resnet", ""],
    "recipe": ["resnet", ""],
}
ONE_AFTER_ANOTHER = """
import contextlib, io, json, sys
from xception_np.cli import main
for option, values in json.loads(sys.argv[1]).items():
    for value in values:
        sys.argv = ["xception-np", "train", f"--{option}={value}", "--out", "new"]
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                main()
                status = 0
            except SystemExit as end:
                status = end.code
        print(json.dumps([option, value, status, errors.getvalue()]))
"""


def test_options(tmp_path):
    """All in one process, for to start it takes longest."""
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(OPTIONS)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    answers = list(map(json.loads, result.stdout.splitlines()))
    assert len(answers) == sum(map(len, OPTIONS.values()))
    for option, value, status, errors in answers:
        assert status == 2 and errors.count("\n") == 1, (option, value, errors)
        assert errors.startswith("xception-np: ") and "; expected" in errors, (option, value, errors)
    assert not list(tmp_path.iterdir())


def test_a_rate_too_large_names_the_layer_and_keeps_the_run(tmp_path):
    sentence = "training was stopped; a number is first not finite in the"
    refused(tmp_path, ["train", "--lr", 1e15, "--warmup", 0, "--out", "new"], sentence)
    assert (tmp_path / "new" / "state.safetensors").exists()


# Checkpoints and runs


def test_another_models_state(place):
    config = json.loads((place / "run" / "config.json").read_text())
    (place / "run" / "config.json").write_text(json.dumps({**config, "model": "xception_medium"}))
    refused(place, ["train", "--resume", "run"], "model is xception_medium but xception_small in the run run; expected the same")


def spoil(path, content):
    return lambda place: (place / path).write_bytes(content if isinstance(content, bytes) else content((place / path).read_bytes()))


def pipe(path):
    def make(place):
        (place / path).unlink(missing_ok=True)
        os.mkfifo(place / path)

    return make


EVALUATE = ["evaluate", "--data", "digits", "--checkpoint"]
PREDICT = ["predict", "--checkpoint", "run/last.safetensors"]
RESUME = ["train", "--resume", "run"]
PICTURE = "run/curves.png"


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        (spoil("run/last.safetensors", lambda whole: whole[:-1]), [*EVALUATE, "run/last.safetensors"], "cannot be read"),
        (spoil("run/last.safetensors", b""), [*EVALUATE, "run/last.safetensors"], "cannot be read"),
        (
            spoil("run/last.safetensors", lambda whole: whole.replace(b"xception_small", b"xception_large")),
            [*EVALUATE, "run/last.safetensors"],
            "does not fit the model: ",
        ),
        (None, [*EVALUATE, "run/state.safetensors"], "state.safetensors do not fit the model"),
        (None, [*EVALUATE, "run"], "checkpoint run is not a file"),
        (None, [*EVALUATE, "/dev/zero"], "checkpoint /dev/zero is not a file"),
        (pipe("pipe"), [*EVALUATE, "pipe"], "checkpoint pipe is not a file"),
        (None, [*EVALUATE, "run/last.safetensors", "--batch", "0"], "batch is 0; expected"),
        (None, [*PREDICT, "nothing.png"], "picture nothing.png does not exist"),
        (None, [*PREDICT, "run/config.json"], "run/config.json cannot be read as a picture"),
        (pipe("pipe"), [*PREDICT, "pipe"], "picture pipe is not a file"),
        (spoil("big.png", bomb()), [*PREDICT, "big.png"], "big.png has far too many pixels"),
        (None, [*PREDICT, "--model", "vgg16", PICTURE], "model is 'vgg16', but run/last.safetensors holds a xception_small"),
        (
            spoil("x.pth", b"\x80\x04]"),
            ["predict", "--checkpoint", "x.pth", PICTURE],
            "x.pth are a pickle, which may run any program",
        ),
        (spoil("x.h5", b"\x89HDF\r\n\x1a\n"), ["predict", "--checkpoint", "x.h5", PICTURE], "x.h5 cannot be read"),
        (None, ["predict", "--checkpoint", "box", "--model", "vgg16", PICTURE], "holds a xception_small"),
        (None, ["predict", "--checkpoint", "x.h5", PICTURE], "checkpoint x.h5 does not exist"),
        (None, ["explain", PICTURE, "--class", "unicorn"], "class is 'unicorn'; expected a class of the network, such as airplane"),
        (None, ["explain", PICTURE, "--layer", "block77"], "layer is 'block77'; expected one of"),
        (None, ["explain", PICTURE, "--layer", "avg_pool"], "expected one whose result is an image"),
        (None, ["explain", PICTURE, "--out", "run/config.json"], "out is run/config.json, a file that is no PNG picture"),
        (None, ["explain", *101 * [PICTURE]], "pictures are 101; expected at most 100"),
        (None, ["explain", PICTURE, "--out", "."], "out is .; expected the path of a file, in a folder that exists"),
        (None, ["spectrum", "--channels", "8", "--png", "no/where.png"], "png is no/where.png; expected the path of a file"),
        (pipe("pipe"), ["spectrum", "--channels", "8", "--png", "pipe"], "png is pipe; expected the path of a file"),
        (
            None,
            [*EVALUATE, "run/last.safetensors", "--confusion", "run/config.json"],
            "confusion is run/config.json, a file that is no PNG picture",
        ),
        (spoil("five.json", b"5"), ["selfcheck", "add", "--report", "five.json"], "five.json, a file that is no report"),
        (None, ["train", "--data", "~nobody-of-this-name/x"], "data is '~nobody-of-this-name/x'; expected"),
        (None, ["convert", "~nobody-of-this-name/x", "x.h5"], "~nobody-of-this-name/x does not exist"),
        (None, ["demo", "--out", "finished"], "out is finished, which holds a run that is no demo's"),
        (
            lambda place: (place / "mine" / "digits").mkdir(parents=True),
            ["demo", "--out", "mine"],
            "out is mine, which has a mine/digits that no demo left",
        ),
        (None, ["explain", "nothing.png"], "picture nothing.png does not exist"),
        (None, ["features", PICTURE, "--layer", "block77"], "layer is 'block77'; expected one of"),
        (
            None,
            ["features", PICTURE, "--layer", "block1_conv1/kernel"],
            "layer is 'block1_conv1/kernel'; expected the name",
        ),
        (
            spoil("mine.npz", b"not an archive"),
            ["features", PICTURE, "--layer", "avg_pool", "--out", "mine.npz"],
            "out is mine.npz, a file that is no archive of arrays",
        ),
        (
            spoil("x-avg_pool.png", b"no picture"),
            ["features", PICTURE, "--layer", "avg_pool", "--out", "x.npz"],
            "out is x-avg_pool.png, a file that is no PNG picture",
        ),
        (None, ["features", PICTURE, "--layer", "avg_pool", "--out", "x.npy"], "out is x.npy; expected a path that ends in .npz"),
        (None, ["convert", "box", "run/config.json"], "out is run/config.json, which exists already"),
        (None, ["convert", "box", "no/x.h5"], "out is no/x.h5; expected the path of a file, in a folder that exists"),
        (None, ["convert", "box", "x.onnx"], "end in '.onnx'; expected .weights.h5, .h5 or .safetensors"),
        (
            None,
            ["convert", "box", "x.safetensors", "--layout", "timm"],
            "model is xception_small; expected xception or legacy_xception",
        ),
        (None, ["convert", "box", "x.h5", "--layout", "timm"], "layout is 'timm'; expected it with a .safetensors file"),
        (None, ["train", "--recipe", "fine-tuning"], "recipe is 'fine-tuning', which goes from trained weights"),
        (None, ["fine-tune", "--data", "nowhere"], "data is 'nowhere'; expected 'digits'"),
        (
            None,
            ["fine-tune", "--data", "digits", "--backbone-rate", "2"],
            "backbone_rate is 2.0; expected a part of the learning rate",
        ),
        (None, ["fine-tune", "--data", "digits", "--checkpoint", "run/config.json"], "run/config.json cannot be read"),
        (None, ["models", "xception", "--paper"], "name is 'xception'; expected none with --paper"),
        (
            None,
            ["models", "xception_small:relu6"],
            "change of xception_small is 'relu6'; expected no-residual, relu, elu or segments=S",
        ),
        (spoil("run/state.safetensors", lambda whole: whole[: len(whole) // 2]), RESUME, "state.safetensors cannot be read"),
        (pipe("run/state.safetensors"), RESUME, "state.safetensors is not a file"),
        (spoil("run/config.json", b"{"), RESUME, "config.json cannot be read"),
        (spoil("run/config.json", b"[" * 100_000), RESUME, "config.json cannot be read"),
        (spoil("run/config.json", lambda whole: whole.replace(b'"digits"', b"7")), RESUME, "has 7 as "),
        (spoil("run/config.json", lambda whole: whole.replace(b'"batch": 32', b'"batch": null')), RESUME, "batch is None"),
        (spoil("run/environment.json", b"{"), RESUME, "environment.json cannot be read"),
        (spoil("run/environment.json", b"{}"), RESUME, "environment.json is no list of starts"),
        (spoil("run/metrics.jsonl", b'{"step": 1}\n'), RESUME, "metrics.jsonl cannot be read"),
        (spoil("run/metrics.jsonl", b""), RESUME, "metrics.jsonl has 0 steps"),
        (None, ["train", "--resume", "finished"], "which is finished"),
        (None, ["train", "--out", "run"], "which holds a run already"),
        (None, ["train", "--out", "run/config.json"], "cannot create the folder run/config.json"),
        (None, ["train", "--out", "run/config.json/new"], "Not a directory"),
        (None, ["compare", "run", "--out", "run"], "out is run; expected the path of a file"),
        (None, ["compare", "run", "--out", "run/metrics.jsonl"], "out is run/metrics.jsonl, a file that is no PNG picture"),
        (spoil("run/metrics.jsonl", b"\xff\xfe\n"), ["compare", "finished", "run"], "metrics.jsonl cannot be read"),
        (None, ["runs", "run/config.json"], "expected a folder of runs"),
    ],
)
def test_checkpoints_and_runs(place, make, arguments, sentence):
    if make is not None:
        make(place)
    refused(place, arguments, sentence)


def test_a_demo_takes_the_place_of_a_demo(place):
    path = place / "finished" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "demo": True}))
    refused(place, ["demo", "--out", "finished", "--minutes", "0"], "minutes is 0.0; expected")  # before the folder is looked at
    demo._check_folder(place / "finished")


def test_one_run_that_cannot_be_read_does_not_hide_the_others(place):
    (place / "run" / "config.json").write_text("{")
    listed = {each["folder"]: each["state"] for each in json.loads(run("runs", ".", "--json", cwd=place).stdout)["runs"]}
    assert listed == {"finished": "finished", "run": "unreadable"}


@pytest.mark.parametrize("name", ["config.json", "best.safetensors", "metrics.jsonl", "curves.png", "result.json"])
@pytest.mark.parametrize("command", ["train", "demo"])
def test_files_of_others_are_not_touched(tmp_path, command, name):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / name).write_text('{"model_type": "another"}\n')
    (tmp_path / "theirs" / ".notes.tmp").write_text("also theirs")
    sentence = "holds a run already" if (command, name) == ("train", "metrics.jsonl") else f"has a {name} but no run"
    refused(tmp_path, [command, "--out", "theirs"], sentence)
    assert {path.name for path in (tmp_path / "theirs").iterdir()} == {name, ".notes.tmp"}


# What the system refuses


def as_somebody():
    """`run` without a superuser's right to read everything."""
    if os.geteuid():
        return run
    if not shutil.which("setpriv"):
        pytest.skip("the superuser may read everything, and there is no setpriv to give that up")
    return partial(started, prefix=("setpriv", "--bounding-set=-dac_override,-dac_read_search"))


@pytest.mark.parametrize(
    ("locked", "arguments", "sentence"),
    [
        ("run/last.safetensors", [*EVALUATE, "run/last.safetensors"], "cannot be read"),
        ("run/state.safetensors", RESUME, "state.safetensors cannot be read"),
        ("run/config.json", RESUME, "config.json cannot be read"),
        ("run/curves.png", [*PREDICT, "run/curves.png"], "Permission denied"),
        ("run", RESUME, "Permission denied"),
        ("data/val/cat", [*TRAIN, "--batch", "2"], "data/val/cat cannot be read (Permission denied)"),
        ("data/train/dog/1.png", [*TRAIN, "--batch", "2"], "Permission denied"),
        ("data", [*TRAIN, "--batch", "2"], "Permission denied"),
    ],
)
def test_no_permission(place, locked, arguments, sentence):
    run = as_somebody()
    pictures(place / "data")
    mode = (place / locked).stat().st_mode
    (place / locked).chmod(0)
    try:
        refused(place, arguments, sentence, run)
    finally:
        (place / locked).chmod(mode)


def test_a_folder_that_may_not_be_written_to(place):
    run = as_somebody()
    (place / "run").chmod(0o500)
    (place / "shut").mkdir(mode=0o500)
    refused(place, RESUME, "Permission denied", run)
    refused(place, ["train", "--out", "shut/new"], "cannot create the folder shut/new: Permission denied", run)


def at_most(size):
    """No file of this process may grow beyond that many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    ("size", "sentence"),
    [(100, "config.json"), (10_000, "state.safetensors"), (3_000_000, "state.safetensors")],  # of 3.9 million bytes
)
def test_files_that_may_not_grow(tmp_path, size, sentence):
    arguments = ["train", "--out", "new", "--minutes", 0.01, "--batch", 32]
    refused(tmp_path, arguments, f"cannot write new/{sentence}: File too large", partial(started, preexec_fn=at_most(size)))
    assert not list((tmp_path / "new").glob(".*"))


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, with room for a state and half of another."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a disk of its own needs a superuser who may mount one: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.slow
@pytest.mark.mount
def test_a_full_disk(disk):
    """What was learnt before the disk was full is there, and when there is room again the run goes on."""
    refused(disk, ["train", "--out", "run", "--epochs", 1, "--batch", 100, "--save-steps", 3], "No space left on device")
    assert not list((disk / "run").glob(".*"))
    safetensors = {path: path.read_bytes() for path in (disk / "run").glob("*.safetensors")}
    assert len(safetensors) >= 1
    again = run(*RESUME, cwd=disk)
    assert again.returncode == 2 and "No space left on device" in again.stderr.splitlines()[-1]
    assert {path: path.read_bytes() for path in (disk / "run").glob("*.safetensors")} == safetensors
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    result = run(*RESUME, "--json", cwd=disk)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["steps"] == 14

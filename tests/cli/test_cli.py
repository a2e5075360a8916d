"""The command line: what a user types, right and wrong."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from command import COMMAND, run
from matplotlib.figure import Figure

from xception_np.commands.output import program, save_figure


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full, as Linux has")
@pytest.mark.parametrize("arguments", [["models", "--json"], ["models"]])
def test_a_full_disk_behind_standard_output(arguments):
    with open("/dev/full", "w") as full:
        result = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 2
    assert "No space left on device" in result.stderr
    assert result.stderr.startswith("xception-np: ") and result.stderr.count("\n") == 1


def test_a_reader_that_has_enough():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        result = subprocess.run([*COMMAND, "models", "--json"], stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (1, "")


def test_home_in_an_option(tmp_path):
    result = run("spectrum", "--channels", 4, "--png=~/spectrum.png", env={**os.environ, "HOME": str(tmp_path)})
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "spectrum.png").exists()


def test_models_lists_and_shows():
    listed = json.loads(run("models", "--json").stdout)
    assert listed["xception"]["parameters"] == 22_855_952
    shown = run("models", "xception_small").stdout
    assert "block9_sepconv1_act" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--data", "/no/such/place"], "data is '/no/such/place'; expected"),
        (["train", "--model", "xcepton"], "model is 'xcepton'; expected one of"),
        (["train", "--recipe", "resnet"], "recipe is 'resnet'; expected one of imagenet, jft, cifar, folder, digits"),
        (["train", "--lr", "-1"], "lr is -1.0; expected"),
        (["train", "--minutes", "0"], "minutes is 0.0; expected"),
        (["train", "--seed", "-1"], "seed is -1; expected"),
        (["train", "--epochs", "-3"], "epochs is -3; expected"),
        (["train", "--batch", "0"], "batch is 0; expected"),
        (["train", "--batch", "100000"], "batch is 100000; expected at most the number of pictures to train on, 1437"),
        (
            ["train", "--validation", "100000"],
            "validation is 100000; expected fewer pictures than there are to train on, 1437",
        ),
        (["train", "--clip", "nan"], "clip is nan; expected"),
        (["train", "--augment", "blur 3"], "augment has 'blur 3'; expected flip, alternating flip, crop MARGIN [reflect], "),
        (["train", "--augment", "crop 40"], "margin is 40; expected less than 32"),
        (["train", "--augment", "mixup -1"], "mixup is -1; expected alpha"),
        (["train", "--out", "/dev/null"], "cannot create the folder /dev/null: File exists"),
        (["train", "--resume", "nowhere"], "run is nowhere, which has no config.json"),
        (["train", "--resume", "nowhere", "--epochs", "3"], "resume is nowhere, a run that has its settings already"),
        (["runs"], "folder is runs; expected a folder of runs"),
        (["compare", "nowhere"], "run is nowhere, which has no config.json"),
        (["models", "resnet"], "model is 'resnet'; expected one of"),
        (["evaluate", "--checkpoint", "none.safetensors", "--data", "digits"], "none.safetensors does not exist"),
        (["predict", "--checkpoint", "none.safetensors", "x.png"], "none.safetensors does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(arguments, sentence, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "names"),  # the words between them differ from version to version of typer
    [
        (["train", "--epocs", "3"], "no such option: --epocs; did you mean --epochs; see xception-np train --help"),
        (["train", "--zzz"], "no such option: --zzz; see xception-np train --help"),
        (["train", "-x"], "no such option: -x; see xception-np train --help"),
        (["trian"], "no such command 'trian'; did you mean 'train'; see xception-np --help"),
        (["--colour"], "no such option: --colour; see xception-np --help"),
        (["train", "--epochs", "many"], "invalid value for '--epochs': ...; see xception-np train --help"),
        (["train", "--lr", "0,1"], "invalid value for '--lr': ...; see xception-np train --help"),
        (["train", "--lr"], "option '--lr' requires an argument; see xception-np --help"),
        (["train", "digits"], "...unexpected extra argument...digits...; see xception-np train --help"),
        (["evaluate", "--data", "digits"], "missing option '--checkpoint'; see xception-np evaluate --help"),
        (["predict", "--checkpoint", "x"], "missing argument 'IMAGE...'; see xception-np predict --help"),
        (
            ["predict", "--checkpoint", "x", "--top", "0", "x.png"],
            "invalid value for '--top': ...1; see xception-np predict --help",
        ),
    ],
)
def test_a_mistake_that_typer_finds_is_one_sentence_too(arguments, names, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert re.fullmatch("xception-np: " + ".*".join(map(re.escape, names.split("..."))) + "\n", result.stderr), result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.iterdir())


def test_alone_it_says_what_help_says():
    alone = run()
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == run("--help").stdout


@pytest.mark.parametrize(
    "command",
    [
        "-",
        "demo",
        "train",
        "fine-tune",
        "evaluate",
        "predict",
        "explain",
        "features",
        "convert",
        "models",
        "cost",
        "runs",
        "compare",
    ],
)
def test_help(command):
    result = run(*([] if command == "-" else [command]), "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize("on_the_path", [False, True])
def test_how_the_program_is_called(tmp_path, monkeypatch, on_the_path):
    """By a name that the shell finds, or else a path, which may have spaces; or through Python, of which the same is true."""
    folder = tmp_path / "my programs"
    folder.mkdir()
    for name in ("xception-np", "python"):
        shutil.copy(shutil.which("true"), folder / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(folder if on_the_path else tmp_path))
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setattr(sys, "argv", [str(folder / "xception-np")])
    assert program() == ("xception-np" if on_the_path else "'my programs/xception-np'")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "xception_np" / "__main__.py")])
    assert program() == ("python" if on_the_path else "'my programs/python'") + " -m xception_np"


def test_a_symbolic_link_to_a_picture_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.png").symlink_to("elsewhere/picture.png")
    sizes = []
    for width in (1, 2):
        assert save_figure(Figure(figsize=(width, 1)), tmp_path / "link.png") == tmp_path / "link.png"
        assert (tmp_path / "link.png").is_symlink()
        sizes.append((tmp_path / "elsewhere" / "picture.png").stat().st_size)
    assert sizes[0] != sizes[1]


@pytest.mark.parametrize(("words", "status"), [(["models"], 0), (["models", "--wrong"], 2)])
def test_no_standard_output_is_no_reason_to_fail(words, status):
    """As some start what nobody watches: with the stream closed."""
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *words]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (status, False), ended.stderr


def test_importing_is_light():
    """Importing the package compiles nothing, needs no peer, and loads none of the heavy libraries."""
    code = (
        "import sys, time; begin = time.perf_counter(); import xception_np, xception_np.ops, xception_np.models;"
        "heavy = {'numba', 'sklearn', 'matplotlib', 'torch', 'cupy', 'PIL'} & set(sys.modules);"
        "print(sorted(heavy), time.perf_counter() - begin)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith("[] ")

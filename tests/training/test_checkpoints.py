"""Files: models that are read back, refused or left alone; lines and states that are cut back and taken up."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from small_runs import tiny_model, trainer

from xception_np import models
from xception_np.data import Preprocessing
from xception_np.errors import InputError
from xception_np.files import replacing
from xception_np.models.table import Norm
from xception_np.training import Checkpoint, Progress, load, save, state
from xception_np.training.history import History, Validation, read


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "model.safetensors"
    model = models.build("xception_small", 2, seed=5)
    save(path, Checkpoint(model, ("a", "b"), Preprocessing(32, (0.5,) * 3, (0.25,) * 3), {"steps": 1}))
    return path, model


def metadata(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()


def test_checkpoint_round_trip(checkpoint):
    path, model = checkpoint
    loaded = load(path)
    assert loaded.preprocessing == Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(loaded.model.arrays[name], array)


def test_half_precision(checkpoint, tmp_path):
    """Half the bytes; every number is the nearest one that has 11 significant bits."""
    path, _ = checkpoint
    loaded = load(path)
    save(tmp_path / "half.safetensors", loaded, np.float16)
    half = load(tmp_path / "half.safetensors")
    for name, array in loaded.model.arrays.items():
        assert half.model.arrays[name].dtype == np.float32
        np.testing.assert_array_equal(half.model.arrays[name], array.astype(np.float16))
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * path.stat().st_size


def test_only_what_can_be_read_back_is_written(checkpoint, tmp_path):
    _, model = checkpoint
    path, pictures = tmp_path / "other.safetensors", Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
    with pytest.raises(InputError, match="classes has 3 names; expected 2, one for each output of the model"):
        save(path, Checkpoint(model, ("a", "b", "c"), pictures, {}))
    changed = model.table._replace(norm=Norm(epsilon=1.0))
    with pytest.raises(InputError, match="model is a changed xception_small, which would be loaded as the original"):
        save(path, Checkpoint(models.from_table(changed, 2), ("a", "b"), pictures, {}))
    assert not path.exists()
    save(str(path), Checkpoint(models.from_table(changed._replace(name="mine"), 2), ("a", "b"), pictures, {}))
    with pytest.raises(InputError, match="has a network that is not known: model is 'mine'"):
        load(path)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("same", "same"), "has 2 classes; expected their names, one or more, all different"),
        ((1, 2), "has 2 classes; expected their names"),
        (("a", "b\n"), r"checkpoint .*: class name is 'b\\n'; expected text in UTF-8 without control characters"),
        (("a", "b\u202egnp"), r"checkpoint .*: class name is 'b\\u202egnp'; expected text in UTF-8 without control characters"),
        (("a", "\ud800"), r"class name is '\\ud800'"),
    ],
)
def test_names_that_could_not_be_read_back_replace_nothing(checkpoint, classes, message):
    path, model = checkpoint
    before = path.read_bytes()
    with pytest.raises(InputError, match=message):
        save(path, Checkpoint(model, classes, Preprocessing(32, (0.5,) * 3, (0.25,) * 3), {}))
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_not_read(checkpoint, value):
    path, _ = checkpoint
    arrays, about = load_file(path), metadata(path)
    arrays["block1_conv1/kernel"][0] = value
    save_file(arrays, path, about)
    with pytest.raises(InputError, match="is damaged: block1_conv1/kernel holds numbers that are not finite; nothing was loaded"):
        load(path)


def test_a_variance_below_zero_is_not_read(checkpoint):
    path, _ = checkpoint
    arrays, about = load_file(path), metadata(path)
    arrays["block1_conv1_bn/moving_variance"][0] = -1
    save_file(arrays, path, about)
    with pytest.raises(InputError, match="is damaged: block1_conv1_bn/moving_variance is a variance below 0; nothing was loaded"):
        load(path)


def test_what_a_file_says_of_itself_is_shown_on_a_line_that_ends(checkpoint):
    path, _ = checkpoint
    about = metadata(path)
    save_file({f"\x1b[31m{k}": np.zeros(1, np.float32) for k in range(3000)}, path, about)
    with pytest.raises(InputError) as error:
        load(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1000
    arrays = dict.fromkeys(["block1_conv1/kernel"], np.zeros((1,) * 64, np.float32))
    save_file(arrays, path, about)
    with pytest.raises(InputError, match=r"block1_conv1/kernel is F32 of shape .{100}\.\.\., expected"):
        load(path)
    digits = about["xception_np"].replace('"steps": 1', f'"steps": {"1" * 5000}')
    save_file({"a": np.zeros(1, np.float32)}, path, {"xception_np": digits})
    with pytest.raises(InputError, match=r"cannot be read; expected a \.safetensors file"):
        load(path)


def test_what_half_precision_cannot_hold_is_not_written(checkpoint, tmp_path):
    loaded = load(checkpoint[0])
    loaded.model.arrays["predictions/bias"][0] = 70_000
    with pytest.raises(InputError, match="would hold NaN or infinity; expected numbers that fit into float16"):
        save(tmp_path / "half.safetensors", loaded, np.float16)
    with pytest.raises(InputError, match="expected float32 or float16"):
        save(tmp_path / "half.safetensors", loaded, np.int8)
    assert not (tmp_path / "half.safetensors").exists()


def test_what_could_not_be_read_again_replaces_nothing(checkpoint):
    path, _ = checkpoint
    before, loaded = path.read_bytes(), load(path)
    loaded.model.arrays["predictions/bias"][0] = np.nan
    with pytest.raises(InputError, match="would hold NaN or infinity"):
        save(path, loaded)
    assert path.read_bytes() == before


def test_checkpoint_names_everything_that_does_not_fit(checkpoint):
    path, _ = checkpoint
    arrays, about = load_file(path), metadata(path)
    del arrays["block1_conv1/kernel"]
    arrays["block1_conv9/kernel"] = np.zeros(3, np.float32)
    arrays["predictions/bias"] = np.zeros(7, np.float32)
    arrays["predictions/kernel"] = arrays["predictions/kernel"].astype(np.float64)
    save_file(arrays, path, about)
    with pytest.raises(InputError) as error:
        load(path)
    for problem in (
        "block1_conv1/kernel is missing",
        "block1_conv9/kernel is unexpected",
        "predictions/bias is F32 of shape (7,), expected F32 or F16 of shape (2,)",
        "predictions/kernel is F64",
    ):
        assert problem in str(error.value)


def test_checkpoints_that_are_none(tmp_path, checkpoint):
    path, _ = checkpoint
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "nothing.safetensors")
    (tmp_path / "text.safetensors").write_text("not a checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "text.safetensors")
    (tmp_path / "short.safetensors").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "short.safetensors")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "other.safetensors")
    for document in ("[1, 2]", '{"model": [], "classes": [], "preprocessing": {}, "training": {}}'):
        save_file({"a": np.zeros(2, np.float32)}, tmp_path / "odd.safetensors", {"xception_np": document})
        with pytest.raises(InputError, match="does not say what it holds"):
            load(tmp_path / "odd.safetensors")


def test_damaged_headers_are_refused_in_a_sentence(tmp_path, checkpoint):
    """One byte of the header changed, at seeded places: the file is read as it is, or refused with an InputError."""
    whole = checkpoint[0].read_bytes()
    length = 8 + int.from_bytes(whole[:8], "little")
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged.safetensors"
    refused = 0
    for place, byte in zip(rng.integers(0, length, 60), rng.integers(0, 256, 60), strict=True):
        damaged.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
        try:
            load(damaged)
        except InputError:
            refused += 1
    assert refused > 30


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("the disk caught fire")

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_synchronised(tmp_path, monkeypatch):
    """Then the system decides when the renaming lasts; the file is written."""

    def refuse(*_):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file").read_text() == "new"


def full_disk(path, data):
    with open(path, "wb") as file:
        file.write(data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    run = trainer(tmp_path, save_steps=1)
    files = {}

    def fill(progress):
        if progress.step == 2:
            files.update({path.name: path.read_bytes() for path in tmp_path.glob("*.safetensors")})
            monkeypatch.setattr(Path, "write_bytes", full_disk)

    with pytest.raises(InputError, match=r"cannot write .*last\.safetensors: No space left on device"):
        run.run(fill)
    assert files.keys() == {"last.safetensors", "state.safetensors"}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.safetensors")} == files
    assert not list(tmp_path.glob(".*"))


def lines(count):
    return [Progress(k, k / 10, 1.0, 0.5, 0.1, 100.0, float(k), 0.0) for k in range(1, count + 1)]


def test_history_is_cut_back_to_a_step(tmp_path):
    path = tmp_path / "metrics.jsonl"
    first = History(path, Progress)
    first.cut(0)
    for line in lines(5):
        first.append(line)
    with open(path, "a") as file:
        file.write('{"step": 6, "epo')  # a kill in the middle of a line
    second = History(path, Progress)
    second.cut(3)
    assert second.lines == lines(3)
    second.append(lines(4)[-1])
    assert read(path, Progress) == second.lines == lines(4)
    second.cut(0)
    assert read(path, Progress) == []


def test_history_that_is_none(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"colour": 1}\n')
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "metrics.jsonl", Progress)
    assert read(tmp_path / "nothing.jsonl", Progress) == []
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match=r"pipe\.jsonl is not a file and so cannot be read; expected lines of JSON"):
        read(tmp_path / "pipe.jsonl", Progress)


FACTS = state.Facts({"model": "tiny"}, 7, 1.5, False, 0.25)


def test_state_round_trip(tmp_path):
    arrays = {"values": np.arange(3.0), "average": np.ones(2, np.float32)}
    state.save(tmp_path / "state", FACTS, arrays)
    found = {name: np.empty_like(array) for name, array in arrays.items()}
    assert state.restore(tmp_path / "state", found) == FACTS == state.read_facts(tmp_path / "state")
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_states_that_do_not_fit(tmp_path):
    path = tmp_path / "state"
    state.save(path, FACTS, {"values": np.ones(3)})
    untouched = np.zeros(4)
    with pytest.raises(InputError, match=r"has values as \('float64', \(3,\)\); expected \('float64', \(4,\)\)"):
        state.restore(path, {"values": untouched})
    assert not untouched.any()
    with pytest.raises(InputError, match="has velocity as None"):
        state.restore(path, {"values": np.zeros(3), "velocity": np.zeros(3)})
    with pytest.raises(InputError, match="does not exist"):
        state.read_facts(tmp_path / "nothing")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="cannot be read"):
        state.read_facts(path)
    config = '{"config": {"settings": null}, "step": 1, "seconds": 1.5, "finished": false, "best_accuracy": null}'
    none = config.replace('{"settings": null}', "{}").replace('"step": 1', '"step": 0').replace("false", "true")
    for facts in ("[1]", '{"step": 1}', "{", config, none):
        save_file({"a": np.zeros(1)}, path, {"xception_np_state": facts})
        with pytest.raises(InputError, match="cannot be read"):
            state.read_facts(path)


def test_a_checkpoint_is_no_state(checkpoint):
    with pytest.raises(InputError, match=r"cannot be read; expected the state\.safetensors of a run"):
        state.restore(checkpoint[0], {"values": tiny_model().buffers.values})


def test_a_state_is_no_checkpoint(tmp_path):
    state.save(tmp_path / "state.safetensors", FACTS, {"values": np.ones(3)})
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "state.safetensors")
    assert json.loads(metadata(tmp_path / "state.safetensors")["xception_np_state"])["step"] == 7


def test_an_accuracy_is_from_0_to_1(tmp_path):
    """But for the rounding of shares that processes added up in float32."""
    path, line = tmp_path / "validation.jsonl", Validation(1, 1.0, 0.5, 1.0000001192092896, 2.0)
    history = History(path, Validation)
    history.append(line)
    assert history.lines == [line]
    history.append(line._replace(accuracy=8.5))
    with pytest.raises(InputError, match="cannot be read"):
        read(path, Validation)

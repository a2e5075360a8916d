"""Training: the optimizer's arithmetic, schedules, checkpoints that refuse, and a run that is the same twice."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from xception_np import models, threads
from xception_np.data import Dataset, Preprocessing
from xception_np.errors import InputError
from xception_np.layers import Buffers
from xception_np.training import SGD, Checkpoint, Settings, Trainer, evaluate, load, save, schedules
from xception_np.training.files import replacing


def stripes(count=48, seed=0):
    """Two classes that a network tells apart in a few steps: horizontal and vertical stripes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = np.zeros((count, 32, 32, 3), np.uint8)
    for image, label, phase in zip(images, labels, rng.integers(0, 4, count), strict=True):
        rows = image if label else image.transpose(1, 0, 2)
        rows[phase::4] = 255
    images = np.clip(images.astype(int) + rng.integers(0, 40, images.shape), 0, 255).astype(np.uint8)
    return Dataset("digits", images, labels.astype(np.int64), ("vertical", "horizontal"))


def trainer(folder, **changed):
    settings = Settings(**{"epochs": 2, "batch": 16, "rate": 0.05, "seed": 3, **changed})
    data = stripes()
    return Trainer(models.build("xception_small", 2, settings.seed), data, settings, folder)


def test_sgd_by_hand():
    buffers = Buffers(np.array([1.0, 2.0]), np.array([10.0, -1.0]), np.empty(0))
    optimizer = SGD(buffers, momentum=0.5)
    optimizer.step(0.1)  # velocity 10, -1
    np.testing.assert_allclose(buffers.values, [0.0, 2.1])
    buffers.gradients[:] = [2.0, 0.0]
    optimizer.step(0.1)  # velocity 0.5 * 10 + 2 = 7, -0.5
    np.testing.assert_allclose(buffers.values, [-0.7, 2.15])


def test_cosine_schedule_by_hand():
    factor = schedules.cosine(warmup=0.2)
    assert [factor(p) for p in (0, 0.1, 0.2)] == [0, 0.5, 1]
    assert factor(0.6) == pytest.approx(0.5)
    assert factor(1.0) == pytest.approx(0)


def test_a_run_learns_and_keeps_its_files(tmp_path):
    run = trainer(tmp_path / "run", epochs=4)
    seen = []
    run.run(seen.append)
    assert len(seen) == run.steps == 4 * 3
    assert seen[-1].loss < 0.5 * seen[0].loss
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert lines[-1]["epoch"] == 4
    assert json.loads((tmp_path / "run" / "config.json").read_text())["batch"] == 16
    loaded = load(tmp_path / "run" / "last.safetensors")
    assert loaded.classes == ("vertical", "horizontal")
    assert loaded.training == {"data": "digits", "steps": 12, "epochs": 4.0, "seed": 3}
    before = run.evaluate(stripes(seed=1))
    after = evaluate(loaded.model, stripes(seed=1), loaded.preprocessing, batch=16)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)
    assert not list((tmp_path / "run").glob(".*"))


def test_a_run_is_the_same_bits_twice_for_any_number_of_threads(tmp_path):
    values = []
    for name, count in (("a", 1), ("b", 2)):
        with threads.use(count):
            run = trainer(tmp_path / name)
            run.run()
            values.append(run.model.buffers.values.copy())
    np.testing.assert_array_equal(*values)


def test_another_seed_is_another_run(tmp_path):
    losses = []
    for seed in (0, 1):
        run = trainer(tmp_path / str(seed), seed=seed, epochs=1)
        run.run()
        losses.append(run.history[-1].loss)
    assert losses[0] != losses[1]


def test_minutes_end_a_run_in_time(tmp_path):
    run = trainer(tmp_path, epochs=100_000, minutes=2 / 60)
    run.run()
    assert 1.9 < run.history[-1].seconds < 4
    # the schedule followed the clock
    assert run.history[-1].rate < 0.2 * run.settings.rate
    assert (tmp_path / "last.safetensors").exists()


def test_an_interrupted_run_keeps_what_it_learnt(tmp_path):
    run = trainer(tmp_path)

    def interrupt(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(interrupt)
    assert load(tmp_path / "last.safetensors").training["steps"] == 2
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    run = trainer(tmp_path)
    run.model.arrays["block1_conv1/kernel"][0, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"the loss is nan at step 1: training was stopped"):
        run.run()
    assert not (tmp_path / "last.safetensors").exists()


def test_evaluation_by_hand(tmp_path):
    from xception_np.training import Evaluation

    evaluation = Evaluation(np.array([[0.5, 0.5 - 1e-9], [0.25, 0.75]]), np.array([0, 0]), seconds=4.0)
    assert evaluation.accuracy == 0.5
    assert evaluation.loss == pytest.approx(-(math.log(0.5) + math.log(0.25)) / 2)
    assert evaluation.images_per_second == 0.5


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "model.safetensors"
    model = models.build("xception_small", 2, seed=5)
    save(path, Checkpoint(model, ("a", "b"), Preprocessing(32, (0.5,) * 3, (0.25,) * 3), {"steps": 1}))
    return path, model


def metadata(path):
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.metadata()


def test_checkpoint_round_trip(checkpoint):
    path, model = checkpoint
    loaded = load(path)
    assert loaded.preprocessing == Preprocessing(32, (0.5,) * 3, (0.25,) * 3)
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(loaded.model.arrays[name], array)


def test_checkpoint_names_everything_that_does_not_fit(checkpoint):
    path, _ = checkpoint
    arrays, about = load_file(path), metadata(path)
    del arrays["block1_conv1/kernel"]
    arrays["block1_conv9/kernel"] = np.zeros(3, np.float32)
    arrays["predictions/bias"] = np.zeros(7, np.float32)
    arrays["predictions/kernel"] = arrays["predictions/kernel"].astype(np.float16)
    save_file(arrays, path, about)
    with pytest.raises(InputError) as error:
        load(path)
    for problem in (
        "block1_conv1/kernel is missing",
        "block1_conv9/kernel is unexpected",
        "predictions/bias is F32 of shape (7,), expected F32 of shape (2,)",
        "predictions/kernel is F16",
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
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "odd.safetensors", {"xception_np": "[1, 2]"})
    with pytest.raises(InputError, match="does not say what it holds"):
        load(tmp_path / "odd.safetensors")


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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"minutes": 0.0}, r"minutes is 0\.0"),
        ({"rate": -0.1}, r"lr is -0\.1"),
        ({"rate": float("nan")}, "lr is nan"),
        ({"batch": 49}, "batch_size is 49; expected at most 48"),
        ({"momentum": 1.0}, r"momentum is 1\.0"),
        ({"warmup": 1.0}, r"warmup is 1\.0"),
        ({"seed": 2**32}, "seed is 4294967296"),
    ],
)
def test_wrong_settings(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        trainer(tmp_path, **settings)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot create the folder"):
        trainer(tmp_path / "file" / "run")

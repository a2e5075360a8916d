"""A run: it learns, keeps its files, is the same twice, and ends in time."""

import json

import numpy as np
import pytest
from small_runs import TINY, stripes, tiny_model, trainer
from threadpoolctl import threadpool_info

from xception_np import data, layers, models, threads
from xception_np.errors import InputError
from xception_np.training import Settings, Trainer, evaluate, load, runs


def test_a_run_learns_and_keeps_its_files(tmp_path):
    run = trainer(tmp_path / "run", models.build("xception_small", 2, 3), epochs=4)
    seen = []
    run.run(seen.append)
    assert len(seen) == run.steps == 4 * 3
    assert seen[-1].loss < 0.5 * seen[0].loss
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert lines[-1]["epoch"] == 4
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["model"], config["images"], config["settings"]["batch"]) == ("xception_small", 48, 16)
    (start,) = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert start["packages"]["numpy"] == np.__version__
    loaded = load(tmp_path / "run" / "last.safetensors")
    assert loaded.classes == ("vertical", "horizontal")
    assert loaded.training == {"data": "stripes", "steps": 12, "epochs": 4.0, "seed": 3, "mirrored": False}
    before = run.evaluate(stripes(seed=1))
    after = evaluate(loaded.model, stripes(seed=1), loaded.preprocessing, batch=16)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)
    assert not list((tmp_path / "run").glob(".*"))


def test_a_run_is_the_same_bits_twice_for_any_number_of_threads(tmp_path):
    values = []
    for name, count in (("a", 1), ("b", 2)):
        with threads.use(count):
            run = trainer(tmp_path / name, models.build("xception_small", 2, 3))
            run.run()
            values.append(run.model.buffers.values.copy())
    np.testing.assert_array_equal(*values)


def test_threads_of_blas_keep_out_of_the_way_between_two_steps(tmp_path):
    """Pictures are made smaller by a product: with threads of its own it would slow down the step that follows."""

    def of_blas():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before, seen = of_blas(), []
    run = trainer(tmp_path / "run", epochs=1)
    run.run(lambda _: seen.append(of_blas()))
    assert len(seen) == 3 and all(set(held) == {1} for held in seen)
    assert of_blas()[: len(before)] == before


def test_another_seed_is_another_run(tmp_path):
    losses = []
    for seed in (0, 1):
        run = trainer(tmp_path / str(seed), seed=seed, epochs=1)
        run.run()
        losses.append(run.history[-1].loss)
    assert losses[0] != losses[1]


def test_every_setting_of_a_step_changes_the_step(tmp_path):
    """The recipe reaches the arithmetic: no two of these runs end with the same weights."""
    changes = (
        {},
        {"optimizer": "rmsprop", "rate": 0.001},
        {"optimizer": "muon"},
        {"optimizer": "muon", "nesterov": True},
        {"optimizer": "muon", "angle": 0.2},
        {"momentum": 0.5},
        {"nesterov": True},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "decay_depthwise": False},
        {"clip": 0.01},
        {"schedule": "linear"},
        {"schedule": "epochs", "decay_every": 1},
        {"schedule": "samples", "decay_every": 16},
        {"warmup": 0.5},
        {"label_smoothing": 0.1},
    )
    weights = []
    for k, changed in enumerate(changes):
        run = trainer(tmp_path / str(k), **changed)
        run.run()
        weights.append(run.model.buffers.values.tobytes())
    assert len(set(weights)) == len(changes)


def test_the_rate_follows_the_steps(tmp_path):
    run = trainer(tmp_path, schedule="epochs", warmup=0.0, decay_factor=0.5, decay_every=1, epochs=3)
    run.run()
    np.testing.assert_allclose([line.rate for line in run.history], np.repeat([0.05, 0.025, 0.0125], 3))


def test_minutes_end_a_run_in_time(tmp_path):
    run = trainer(tmp_path, epochs=100_000, minutes=1 / 60)
    run.run()
    assert 1 <= run.history[-1].seconds < 3
    assert run.history[-1].rate < 0.2 * run.settings.rate  # the schedule followed the clock
    assert load_steps(tmp_path) == len(run.history) < run.steps
    assert runs.describe(tmp_path).state == "finished"


def test_a_start_that_leaves_no_time_takes_a_last_step_of_no_length(tmp_path):
    """As after a resume that compiles anew: more time was used than there is now."""
    run = trainer(tmp_path, epochs=100_000, minutes=1, schedule="linear")
    run.seconds, run.reserve = 30.0, 50.0
    run.run()
    assert [line.rate for line in run.history] == [0.0] and run.finished


def load_steps(folder):
    return runs.describe(folder).steps


def test_the_best_model_is_chosen_on_training_pictures_set_aside(tmp_path):
    run = trainer(tmp_path, validation=16, epochs=5)
    kept, aside = data.hold_out(stripes(), 16, seed=3)
    np.testing.assert_array_equal(run.train.images, kept.images)
    np.testing.assert_array_equal(run.validation.images, aside.images)
    run.run()
    accuracies = [line.accuracy for line in run.validations]
    assert len(accuracies) == 5
    assert run.best_accuracy == max(accuracies)
    assert run.evaluate(aside).accuracy == max(accuracies)
    assert run.outcome == tmp_path / "best.safetensors"


def test_a_new_run_replaces_an_old_one(tmp_path):
    trainer(tmp_path, averaging=0.5, validation=8).run()
    runs.write_result(tmp_path, {"accuracy": 0.5})
    (tmp_path / "curves.png").touch()
    (tmp_path / "tensorboard").mkdir()
    trainer(tmp_path, epochs=1).run()
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "environment.json",
        "last.safetensors",
        "metrics.jsonl",
        "run.lock",
        "state.safetensors",
        "validation.jsonl",
    }
    assert (tmp_path / "validation.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 49}, "batch is 49; expected at most the number of pictures to train on, 48"),
        ({"validation": 48}, "validation is 48; expected fewer pictures than there are to train on, 48"),
        ({"validation": 40}, "batch is 16; expected at most .* 48, of which validation sets 40 aside"),
        ({"dropout": 0.5}, r"dropout is 0\.5; expected 0\.0, that of the network tiny"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        trainer(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_pictures_that_the_network_does_not_take(tmp_path):
    model, random = models.build("inception_v3", 2), np.random.default_rng(0)
    for size, grow_from, message in (
        (128, 0.5, r"inception_v3 does not take pictures of 64 pixels, with which they begin where grow_from is 0\.5: the kernel"),
        (40, 1.0, "inception_v3 does not take pictures of 40 pixels: the kernel"),
    ):
        train = data.Dataset("some", random.integers(0, 256, (4, size, size, 3), np.uint8), np.array([0, 1, 0, 1]), ("a", "b"))
        with pytest.raises(InputError, match=message):
            settings = Settings(batch=2, grow_from=grow_from, grow_until=0.7)
            Trainer(model, train, settings, tmp_path / "run", augmentation=data.Augmentation())
    assert not (tmp_path / "run").exists()


def test_a_model_of_other_classes(tmp_path):
    with pytest.raises(InputError, match="model has 3 outputs; expected 2, one for each class of stripes"):
        trainer(tmp_path / "run", models.from_table(TINY, 3))
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_moved_after_its_trainer_was_made(tmp_path):
    run = trainer(tmp_path)
    run.model.move("numpy")
    with pytest.raises(InputError, match="model has other buffers than when its trainer was made"):
        run.run()


def test_what_was_saved_last_stays_when_the_model_has_the_average(tmp_path):
    run = trainer(tmp_path, averaging=0.9)
    run.run()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert run.save() == tmp_path / "last.safetensors"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_settings_in_numbers_of_numpy(tmp_path):
    trainer(tmp_path, seed=np.int64(4), batch=np.int32(16), rate=np.float32(0.05), epochs=np.uint8(1)).run()
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["seed"] == 4


def test_dropout_that_a_network_has(tmp_path):
    model = tiny_model()
    model.layers.insert(-1, layers.Dropout("dropout", 0.5))
    trainer(tmp_path, model, dropout=0.5).run()
    with pytest.raises(InputError, match=r"dropout is 0\.0; expected 0\.5"):
        trainer(tmp_path, model)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="cannot create the folder"):
            trainer(folder)
    assert (tmp_path / "file").read_text() == ""


def test_runs_are_listed(tmp_path):
    trainer(tmp_path / "b").run()
    runs.write_result(tmp_path / "b", {"accuracy": 0.75})
    Trainer(tiny_model(), stripes(), Settings(batch=16), tmp_path / "no run yet", augmentation=data.Augmentation())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.json").write_text('{"model": "m", "data": "d", "settings": {}}')
    first, second = runs.find(tmp_path)
    assert first == (tmp_path / "a", "m", "d", "", 0, None, 0.0, "unreadable")
    assert second[:6] == (tmp_path / "b", "tiny", "stripes", "", 6, 0.75)
    assert second.state == "finished" and second.minutes > 0
    for text in ("", "[]", "{}"):
        (tmp_path / "a" / "config.json").write_text(text)
        with pytest.raises(InputError, match=r"config\.json"):
            runs.describe(tmp_path / "a")
    with pytest.raises(InputError, match="expected a folder of runs"):
        runs.find(tmp_path / "nowhere")


def test_a_run_of_one_step_learns(tmp_path):
    """Its only rate is that of the middle of the schedule, not of the start, where a warm-up has 0."""
    run = trainer(tmp_path, steps=1, warmup=0.1)
    before = run.model.buffers.values.copy()
    run.run()
    assert run.history[0].rate > 0 and (run.model.buffers.values != before).any()

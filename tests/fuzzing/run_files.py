"""The files of a run, whole, with what reads them: a refusal must leave what it was read into as it was."""

import contextlib
import io
from functools import partial

import numpy as np

from xception_np import data, models
from xception_np.commands.train import taken_up, unfinished
from xception_np.errors import InputError
from xception_np.show import training_curves
from xception_np.show.comparison import Curves, compared_curves
from xception_np.training import Progress, Settings, Trainer, Validation, checkpoints, environment, history, pretrained, runs
from xception_np.training.evaluation import softmax

LARGEST = 64  # pixels a side that a network is run on


def make(folder):
    """A run on digits of two steps, in the middle of its first epoch."""
    train, _ = data.load("digits")
    settings = Settings(batch=4, epochs=1, averaging=0.5, validation=10, save_steps=2)
    about = {"recipe": "digits", "source": "digits", "size": None}
    trainer = Trainer(models.build("xception_small", 10), train, settings, folder, about=about)

    def stop(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        trainer.run(stop)
    (folder / "validation.jsonl").write_text('{"step": 2, "epoch": 0.1, "loss": 2.3, "accuracy": 0.5, "seconds": 4.0}\n' * 2)


def unchanged_if_refused(arrays, read):
    before = {name: array.copy() for name, array in arrays.items()}
    try:
        read()
    except InputError:
        for name, array in arrays.items():
            assert array.tobytes() == before[name].tobytes(), name
        raise


def predict(path):
    """As `predict` and `evaluate` read a checkpoint, and as the end of a run does."""
    model = models.build("xception_small", 10)
    unchanged_if_refused(model.arrays, lambda: checkpoints.load_weights(path, model))
    loaded, classes, preprocessing, _ = pretrained.load(path) if checkpoints.is_one(path) else checkpoints.load(path)
    if preprocessing.size <= LARGEST:
        picture = np.zeros((1, preprocessing.size, preprocessing.size, 3), np.uint8)
        assert softmax(loaded.predict(preprocessing.apply(picture))).shape == (1, len(classes))


def list_runs(path):
    """As `runs` does, which a damaged run does not end."""
    assert len(runs.find(path.parent.parent)) == 1
    runs.describe(path.parent)


def resume(trainer, path):
    """As `--resume` does, with a state."""
    unchanged_if_refused(trainer._arrays(), trainer.restore)
    list_runs(path)


def go_on(path):
    """As `--resume` does, with a configuration."""
    list_runs(path)
    (path.parent / "result.json").unlink(missing_ok=True)
    taken_up_from(path.parent)


def taken_up_from(folder):
    config = unfinished(folder)
    train, _ = data.load(config["source"], config.get("size"))
    return taken_up(folder, config, train)


def draw(kind, path):
    """As `compare` and the end of a run do."""
    lines = history.read(path, kind)
    steps = lines if kind is Progress else history.read(path.with_name("metrics.jsonl"), Progress)
    validations = lines if kind is Validation else []
    if steps:
        compared_curves({"run": Curves(steps, validations)}).savefig(io.BytesIO(), dpi=20)
        training_curves(steps, "run", validations=validations).savefig(io.BytesIO(), dpi=20)


def files(folder):
    """Names of the files of the run in a folder, with what reads each."""
    trainer = taken_up_from(folder)
    runs.write_result(folder, {"accuracy": 0.5, "steps": 2})
    return {
        "last.safetensors": predict,
        "state.safetensors": partial(resume, trainer),
        "config.json": go_on,
        "environment.json": partial(environment.record, step=1, processes=1),
        "metrics.jsonl": partial(draw, Progress),
        "validation.jsonl": partial(draw, Validation),
        "result.json": list_runs,
    }

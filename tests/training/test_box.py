"""The model in the box, and how it gets there."""

import json

import numpy as np
import pytest
from small_runs import trainer

from xception_np import models
from xception_np.errors import InputError
from xception_np.training import box, checkpoints, load


def test_the_box_is_small_and_whole():
    """At most 2 MB; half precision; CIFAR-10's classes; and the log says how it was made."""
    assert box.checkpoint().stat().st_size <= 2_000_000
    model, classes, preprocessing, facts = load(box.checkpoint())
    assert (model.name, len(classes), preprocessing.size, facts["data"]) == ("xception_small", 10, 32, "cifar10")
    assert all(np.isfinite(array).all() for array in model.arrays.values())
    log = box.log()
    assert log["config"]["recipe"] == "cifar"
    assert log["result"]["steps"] == facts["steps"] == log["metrics"][-1]["step"]
    assert log["metrics"][0]["loss"] > log["metrics"][-1]["loss"]
    assert len(log["metrics"]) <= box.LOG_LINES


def test_the_log_names_no_folder():
    """Of the machine that the model was trained on."""

    def texts(value):
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                yield from texts(item)
        elif isinstance(value, str):
            yield value

    assert not any("/" in text for text in texts(box.log()))


def test_filling_the_box(tmp_path):
    run = trainer(tmp_path / "run", models.build("xception_small", 2), epochs=1)
    run.run()
    with pytest.raises(InputError, match="expected what `train` wrote at the end of a finished run"):
        box.fill(tmp_path / "run", tmp_path)
    result = {"accuracy": 0.5, "checkpoint": str(run.outcome), "curves": f"{tmp_path}/run/curves.png", "steps": run.step}
    (tmp_path / "run" / "result.json").write_text(json.dumps(result))
    box.fill(tmp_path / "run", tmp_path)
    log = json.loads((tmp_path / "cifar10.json").read_text())
    assert log["result"] == {"accuracy": 0.5, "checkpoint": run.outcome.name, "curves": "curves.png", "steps": run.step}
    assert [line["step"] for line in log["metrics"]] == list(range(1, run.step + 1))
    checkpoints.load_weights(tmp_path / "cifar10.safetensors", run.model)
    assert all((array == array.astype(np.float16)).all() for array in run.model.arrays.values())

"""Passes that are compiled before the first step."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from xception_np import models
from xception_np.training import ahead

STEP = """
import json, sys
from numba.core import event
from xception_np import models
from xception_np.layers import Step
from xception_np.training import ahead

compiled = []

class Names(event.Listener):
    def on_start(self, started):
        compiled.append(started.data["dispatcher"].py_func.__name__)

    def on_end(self, ended):
        pass

event.register("numba:compile", Names())
model = models.build("xception_small", 10)
was_kept = ahead._are_kept()
ahead.compile_passes(model, 8)
before = list(compiled)
logits, cache = model.forward(ahead._pictures(8), Step())
model.learn(logits, cache)
print(json.dumps({"was_kept": was_kept, "before": before, "after": compiled[len(before):], "kept": ahead._are_kept()}))
"""


def first_step(cache):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "XCEPTION_NP_THREADS": "2"}
    return json.loads(subprocess.run([sys.executable, "-c", STEP], env=environment, check=True, capture_output=True).stdout)


@pytest.mark.slow
def test_backward_passes_are_compiled_by_another_process(tmp_path):
    cold, warm = first_step(tmp_path), first_step(tmp_path)
    assert not cold["was_kept"] and cold["kept"] and warm["was_kept"]
    assert "_forward" in cold["before"] and "_weight_gradient" not in cold["before"]
    assert cold["after"] == [] and warm["before"] + warm["after"] == []


def test_a_model_is_left_as_it_is(monkeypatch):
    model = models.build("xception_small", 10)
    before = {name: np.array(value) for name, value in model.arrays.items()}
    monkeypatch.setattr(ahead, "_are_kept", lambda: False)
    monkeypatch.setattr(ahead, "_backward", lambda model, size: subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]))
    ahead.compile_passes(model, 8)  # and nothing is said of a second process that could do nothing
    for name, value in model.arrays.items():
        np.testing.assert_array_equal(value, before[name])


def test_an_interrupted_one_leaves_no_process(monkeypatch):
    started = []

    def start(model, size):
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[0]

    def interrupted(x, training):
        raise KeyboardInterrupt

    model = models.build("xception_small", 10)
    monkeypatch.setattr(ahead, "_are_kept", lambda: False)
    monkeypatch.setattr(ahead, "_backward", start)
    monkeypatch.setattr(model, "forward", interrupted)
    monkeypatch.setattr(ahead.threads, "_count", 2)
    with pytest.raises(KeyboardInterrupt):
        ahead.compile_passes(model, 8)
    assert started[0].poll() is not None

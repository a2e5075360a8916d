"""A run's memory and its waiting are measured, and neither grows where it must not."""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

from small_runs import trainer

from xception_np.training import Progress, resources

WARM_UP = 60  # steps after which every array that a run needs has been asked for once
GROWTH = 4 * 2**20  # bytes; the batches of the 100 steps are 18 MiB
LINE = 20  # objects that a step may keep: its line of the history is one of 11 numbers


def test_memory_is_what_is_held():
    """In a process of its own: elsewhere the most that there ever was may have been more."""
    code = (
        "import numpy as np; from xception_np.training import resources; before = resources.memory();"
        "held = np.ones(2**26, np.uint8); print(resources.memory() - before)"
    )
    grown = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 0.9 * 2**26 < grown < 1.2 * 2**26


def test_waiting_is_for_the_loader_alone(monkeypatch):
    clock = itertools.count()  # a second a look
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))

    def slow():
        for item in "ab":
            next(clock)
            yield item

    seen = []
    for item, waited in resources.timed(slow()):
        seen.append((item, waited))
        for _ in range(10):
            next(clock)  # the network's time
    assert seen == [("a", 2.0), ("b", 2.0)]


def test_shares():
    lines = [Progress(k, k, 1.0, 0.5, 0.1, 100.0, 2.0 * k, 0.0, waited=0.5, memory=m) for k, m in ((1, 7), (2, 9), (3, 8))]
    assert resources.share_waited(lines) == 0.25
    assert resources.most_memory(lines) == 9


def test_the_share_of_waiting_for_others():
    """A step waits after its seconds were read: that wait is a part of what lies between these and the next one's."""
    lines = [Progress(k, k, 1.0, 0.5, 0.1, 100.0, s, 0.0, allreduce=w) for k, s, w in ((1, 1.0, 2.0), (2, 5.0, 3.0), (3, 9.0, 4.0))]
    assert resources.share_summed(lines) == (2 + 3) / (9 - 1)
    alone = [line._replace(allreduce=0.0) for line in lines]
    assert resources.share_summed(alone) == resources.share_summed(lines[:1]) == 0
    assert resources.share_summed([line._replace(seconds=1.0) for line in lines]) == 0  # a clock too coarse to tell


COUNT = """
import gc, sys, tracemalloc
from small_runs import trainer

held = []

def look(progress):
    if progress.step in (30, 90):
        gc.collect()
        held.append(len(tracemalloc.take_snapshot().traces))

tracemalloc.start()
trainer(sys.argv[1], epochs=31).run(look)
print(held[1] - held[0])
"""


def test_a_run_records_them(tmp_path):
    run = trainer(tmp_path, epochs=1)
    run.run()
    for line in run.history:
        assert 0 <= line.waited <= line.seconds and line.memory > 2**20
    assert 0 < resources.share_waited(run.history) < 1


def test_a_run_does_not_grow(tmp_path):
    """In a process of its own, where nothing else comes and goes."""
    code = f"from small_runs import trainer; trainer({str(tmp_path)!r}, epochs=85, validation=2, averaging=0.9).run()"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True, timeout=120)
    memory = [json.loads(line)["memory"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(memory) >= WARM_UP + 100
    assert max(memory[WARM_UP:]) - memory[WARM_UP] < GROWTH


def test_a_step_keeps_no_more_than_its_line(tmp_path):
    """Objects are counted, for those that a compiled pass never lets go of are small, and there is one for every pass.

    Their bytes would not tell: a batch that the loader is at is as large as thousands of them. In a process of its own, too.
    """
    found = subprocess.run(
        [sys.executable, "-c", COUNT, tmp_path], cwd=Path(__file__).parent, check=True, timeout=120, capture_output=True, text=True
    )
    assert int(found.stdout) < 60 * LINE

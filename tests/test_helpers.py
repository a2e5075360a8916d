"""The threads beside the caller's."""

import _thread
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from xception_np import helpers
from xception_np.helpers import Helpers

MAIN = threading.main_thread()
NOT_COUNTED = np.ones(1, np.int64)  # for passes that do not say when they have begun


def test_helpers_that_have_fallen_asleep_wake_up(monkeypatch):
    monkeypatch.setattr(helpers, "AWAKE", 1)
    pair, visits = Helpers(2), []
    for _ in range(50):
        assert pair.run(lambda: visits.append(threading.current_thread()), NOT_COUNTED, 2)
    assert len(visits) == 150
    assert len(set(visits)) == 3


@pytest.mark.parametrize("awake", [1, helpers.AWAKE])
def test_only_helpers_that_there_is_work_for_take_part(monkeypatch, awake):
    """In any order of passes that want few and many, also where they had fallen asleep."""
    monkeypatch.setattr(helpers, "AWAKE", awake)
    three, random = Helpers(3), np.random.default_rng(0)
    for most in random.integers(0, 6, 300):
        visits = []
        assert three.run(lambda visits=visits: visits.append(threading.current_thread()), NOT_COUNTED, most)
        assert len(set(visits)) == 1 + min(most, 3)


def test_an_exception_in_a_helper_only():
    def work():
        if threading.current_thread() is not MAIN:
            raise KeyError("in a helper")

    pair = Helpers(2)
    for _ in range(3):
        with pytest.raises(KeyError, match="in a helper"):
            pair.run(work, NOT_COUNTED, 2)
    assert pair.run(lambda: None, NOT_COUNTED, 2)  # and none is left over


def test_after_ctrl_c_no_helper_still_works_on_the_pass():
    """Whoever catches the KeyboardInterrupt may use the arrays again: to save a checkpoint, say."""
    pair, first, finished = Helpers(2), threading.Lock(), []

    def work():
        if threading.current_thread() is MAIN:
            return
        if first.acquire(blocking=False):
            _thread.interrupt_main()  # the caller waits for the helpers by now, or soon
        else:
            finished.append(sum(range(3_000_000)))

    with pytest.raises(KeyboardInterrupt):
        pair.run(work, NOT_COUNTED, 2)
    assert len(finished) == 1
    visits = []
    assert pair.run(lambda: visits.append(threading.current_thread()), NOT_COUNTED, 2)
    assert len(set(visits)) == 3


def test_a_process_ends_while_its_helpers_are_awake():
    program = "from xception_np import threads\nwith threads.use(3): threads.for_tiles(str, range(9))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_helpers_keep_nothing_of_a_pass():
    """Memory goes back to the pool with the caller's last reference."""
    array = np.zeros(3)
    seen = weakref.ref(array)
    assert Helpers(1).run(lambda array=array: array.sum(), NOT_COUNTED, 1)
    del array
    assert seen() is None

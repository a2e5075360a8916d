"""What `xception_np.ops.compile` promises about its cache and its queue."""

import importlib.util
import os
import subprocess
import sys
import threading
from textwrap import dedent

import numba
import numpy as np
import pytest

from xception_np import threads
from xception_np.errors import InputError
from xception_np.ops import compile
from xception_np.ops.compile import fetch, taken


@pytest.fixture
def load(tmp_path, monkeypatch):
    """A function that imports a module of this folder afresh, as a new process would; Numba keeps its cache beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def load(name, text=None):
        path = tmp_path / f"{name}.py"
        if text is not None:
            path.write_text(dedent(text))
        sys.modules.pop(name, None)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        sys.modules.pop(name, None)


CALLED = """
    from xception_np.ops.compile import compiled_apart

    @compiled_apart
    def called(x):
        return x + {}
"""
CALLER = """
    import called_module
    from xception_np.ops.compile import compiled_apart, compiled_with

    @compiled_with(called_module)
    def caller(x):
        return called_module.called(x)

    @compiled_apart
    def another_caller(x):
        return x
"""


def loads(function):
    """(times that the machine code came from disk, times that it was compiled)."""
    return sum(function.stats.cache_hits.values()), sum(function.stats.cache_misses.values())


def test_a_constant_is_an_argument_like_any_other(load):
    """Numba alone compiles a function for Literal[int](3), for a tuple with one, and again for int64."""
    module = load(
        "constants",
        """
        from xception_np.ops.compile import compiled, compiled_apart

        @compiled
        def inner(n, pair):
            return n * pair[0] + pair[1]

        @compiled_apart
        def apart(n, pair):
            return n * pair[0] - pair[1]

        @compiled
        def outer(n):
            return inner(n, (n, n)), inner(3, (1, 2)), inner(n=3, pair=(n, 2)), apart(n, (n, n)), apart(3, (1, 2))
        """,
    )
    assert module.outer(5) == (30, 5, 17, 20, 1)
    assert len(module.inner.signatures) == len(module.apart.signatures) == 1


def test_what_is_kept_of_a_function_goes_when_a_file_that_it_calls_changes(load, tmp_path):
    load("called_module", CALLED.format(1))
    module = load("caller_module", CALLER)
    assert module.caller(10) == 11
    assert module.another_caller(10) == 10
    assert loads(module.caller) == (0, 1)

    load("called_module")
    module = load("caller_module")
    assert module.caller(10) == 11
    assert loads(module.caller) == (1, 0)  # nothing has changed

    load("called_module", CALLED.format(2))
    newest = max(path.stat().st_mtime for path in tmp_path.rglob("*.nbi"))
    os.utime(tmp_path / "called_module.py", (newest + 10, newest + 10))
    load("called_module")
    module = load("caller_module")
    assert module.caller(10) == 12
    assert loads(module.caller) == (0, 1)
    assert module.another_caller(10) == 10
    assert loads(module.another_caller) == (1, 0)  # it does not call that file


@numba.njit(nogil=True)
def draw(queue, items, owner, me):
    for k in taken(queue, items):
        owner[k] += me


@pytest.mark.parametrize("items", [0, 1, 100_000])
def test_each_number_is_taken_once(items):
    queue, owner = np.zeros(1, np.int64), np.zeros(items, np.int64)
    draw(queue.ctypes.data, -1, owner, 1)  # compiled before the race
    queue[0] = 0
    start = threading.Barrier(4, timeout=60)

    def thread(me):
        start.wait()
        draw(queue.ctypes.data, items, owner, me)

    callers = [threading.Thread(target=thread, args=(1000**me,)) for me in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert set(owner.tolist()) <= {1000**me for me in range(4)}
    assert queue[0] == items + 4  # each of the four asked once more


def test_the_numbers_of_a_queue_are_in_order_for_one_thread():
    queue = np.zeros(1, np.int64)
    assert list(taken(queue.ctypes.data, 5)) == [0, 1, 2, 3, 4]
    queue[0] = 3
    assert list(taken(queue.ctypes.data, 5)) == [3, 4]


def test_a_call_keeps_nothing():
    """Compiled code counts references by itself, and a training step has a thousand calls: one kept object each is a leak."""
    queue, owner = np.zeros(1, np.int64), np.zeros(9, np.int64)
    draw(queue.ctypes.data, 9, owner, 1)
    before = sys.getrefcount(queue), sys.getrefcount(owner)
    for _ in range(100):
        queue[0] = 0
        draw(queue.ctypes.data, 9, owner, 1)
    assert (sys.getrefcount(queue), sys.getrefcount(owner)) == before


def test_a_queue_is_an_address_and_no_array():
    with pytest.raises(numba.TypingError):
        draw(np.zeros(1, np.int64), 9, np.zeros(9, np.int64), 1)


def test_threads_share_the_tiles_of_a_pass():
    owner = np.zeros(1000, np.int64)
    with threads.use(3):
        threads.together(lambda queue: draw(queue, owner.size, owner, 1), owner.size)
    assert (owner == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 1, 17])
def test_what_is_fetched_is_only_looked_at(dtype, channels):
    """Also a part with gaps, one that ends with the image, and none at all; nothing is kept."""
    image = np.random.default_rng(0).standard_normal((5, 7, channels)).astype(dtype)
    expected = image.copy()
    for part in (image, image[1:4:2, 2:5], image[4:6, 6:8], image[5:7, :2]):
        assert fetch(part) is None
    before = sys.getrefcount(image)
    fetch(image)
    assert sys.getrefcount(image) == before
    np.testing.assert_array_equal(image, expected)


def test_no_folder_for_machine_code_is_a_sentence(monkeypatch):
    def refused(**options):
        raise RuntimeError("cannot cache function 'f': no locator available for file 'f.py'")

    monkeypatch.setattr(compile.numba, "njit", refused)
    with pytest.raises(InputError, match="NUMBA_CACHE_DIR is not set, and no other folder"):
        compile.compiled_apart(len)


def test_loops_that_are_not_compiled_are_refused():
    command = [sys.executable, "-c", "import xception_np.ops.compile"]
    ended = subprocess.run(command, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False)
    assert "InputError: NUMBA_DISABLE_JIT is set; expected it unset" in ended.stderr

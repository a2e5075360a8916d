"""Options of the test suite."""

import signal

import pytest

from xception_np.emulator import MissingCompiler, nvrtc, toolchain


def pytest_configure():
    """Ctrl-C means what it says, to the tests that send it too: what a shell runs in the background is born deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped for want of something counts as failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With --no-skips, a test that cannot run fails; only those marked with what they want may miss that."""
    report = yield
    excused = any(item.get_closest_marker(name) for name in ("data", "mount", "browser", "no_gpu"))
    return report if excused else _strict(item, report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a whole file that skips itself (pytest.importorskip)."""
    report = yield
    return _strict(collector, report)


def _strict(node, report):
    if report.skipped and node.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"{node.nodeid} was skipped, and --no-skips is on: {report.longrepr[2]}"
    return report


@pytest.fixture
def needs_compiler():
    """Skips where the emulator has no compiler."""
    try:
        toolchain.compiler()
    except MissingCompiler as error:
        pytest.skip(str(error))


@pytest.fixture
def needs_nvrtc():
    """Skips where NVIDIA's compiler is not installed."""
    try:
        nvrtc._library()
    except MissingCompiler as error:
        pytest.skip(str(error))

import json
import subprocess
import sys

import pytest


@pytest.fixture
def benchmarks(pytestconfig):
    def run(*arguments):
        command = [sys.executable, "-m", "benchmarks", *arguments]
        return subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.slow
def test_figures_and_a_picture(benchmarks, tmp_path):
    result = benchmarks(
        *("inference/xception_small/1", "spectrum/4/5/1", "--against", "blas", "--rounds", "2", "--json"),
        *("--plot", str(tmp_path / "times.png")),
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["rounds"] == 2
    names = [f"convolution/4/5/1/{segments}" for segments in (1, 2, 4)]
    assert list(found["subjects"]) == ["inference/xception_small/1/32", *names]
    assert list(found["subjects"]["inference/xception_small/1/32"]) == ["xception_np", "blas"]
    assert all(times["xception_np"]["median"] > 0 for times in found["subjects"].values())
    assert (tmp_path / "times.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training/nothing/8"], "model is 'nothing'; expected one of xception,"),
        (["training/vgg16/8/150"], "x has 12800 numbers for each image; expected 25088"),
        (["spectrum/4/5/1", "--plot", "nowhere/times.png"], "plot is nowhere/times.png; expected the path of a file"),
        (["training/xception/8", "--against", "jax"], "against is 'jax'; expected some of blas, torch,"),
        (
            ["convolution/4/5/1/2", "--against", "blas"],
            "against is 'blas', which knows training and inference; expected a subject of",
        ),
    ],
)
def test_mistakes_are_one_sentence(benchmarks, arguments, message):
    result = benchmarks(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_no_number_of_threads(benchmarks, monkeypatch):
    monkeypatch.setenv("XCEPTION_NP_THREADS", "two")
    result = benchmarks("training/xception/8")
    assert result.returncode == 2
    assert result.stderr == "XCEPTION_NP_THREADS is 'two'; expected the number of threads, 1 to 1024\n"


@pytest.mark.slow
def test_thread_pools(pytestconfig):
    command = [sys.executable, "-m", "benchmarks.thread_pools", "--rounds", "1"]
    result = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in ("tiles", "parallel, omp, passive", "parallel, workqueue"))


def test_a_network_that_mpi_does_not_know(pytestconfig):
    command = [sys.executable, "-m", "benchmarks.mpi", "--model", "nothing"]
    result = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stdout) == (2, "") and result.stderr.startswith("model is 'nothing'; expected one of")

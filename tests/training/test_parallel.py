"""Many processes do what one does, agree on everything, and lose nothing when one of them is lost."""

import importlib.util
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import ranks
from PIL import Image
from small_runs import tiny_model

from xception_np import data, models
from xception_np.data import Preprocessing
from xception_np.errors import InputError
from xception_np.training import Settings, checkpoints, evaluate, parallel, runs
from xception_np.training.history import Progress, read

HERE = Path(__file__).parent
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
ENVIRONMENT = {
    **os.environ,
    "XCEPTION_NP_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",  # Open MPI wants these where the tests run as root,
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",  # and this on few cores
}
COMMAND = [sys.executable, "-m", "xception_np"]
# The process that runs this is lost in the middle of its fourth step: its share of the gradient never comes.
LOST = [
    sys.executable,
    "-c",
    """
import os, signal
from xception_np.training.parallel import Ranks
add_up = Ranks.add_up
def lost(self, *arguments):
    if self._sums == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return add_up(self, *arguments)
Ranks.add_up = lost
from xception_np.cli import main; main()
""",
]

mpi = pytest.mark.skipif(
    MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
    reason="needs mpi4py and an mpiexec: pip install 'xception-np[mpi]'",
)


def mpiexec(*programs):
    """Start programs together: each a number of processes and a command."""
    command = [":", *(word for count, program in programs for word in (":", "-n", str(count), *map(str, program)))][2:]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([MPIEXEC, *command], env=ENVIRONMENT, cwd=HERE, **pipes)


def finished(process):
    out, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def arrays(count, what, folder):
    """What each of `count` processes has at the end; without an mpiexec for one."""
    folder.mkdir()
    program = [sys.executable, "ranks.py", what, folder]
    if count > 1:
        result = finished(mpiexec((count, program)))
        assert result.returncode == 0, result.stderr
    else:
        subprocess.run(program, cwd=HERE, env=ENVIRONMENT, check=True)
    return [np.load(folder / f"{rank}.npz") for rank in range(count)]


@mpi
@pytest.mark.parametrize("count", [2, 3])
def test_many_processes_are_one_with_a_larger_batch(tmp_path, count):
    """In float64, statistics frozen: 6 steps with momentum, decay and clipping, and shares of 3 and 4, or 2, 2 and 3 pictures."""
    (one,) = arrays(1, "frozen", tmp_path / "one")
    for found in arrays(count, "frozen", tmp_path / "many"):
        # Sums in another order: 1e-16 for each of the some 1e4 additions behind a gradient, at most.
        np.testing.assert_allclose(found["values"], one["values"], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found["moving"], one["moving"])
    start = models.from_table(ranks.TINY, 2, seed=3, dtype=np.float64).buffers.values
    assert abs(one["values"] - start).max() > 0.01  # it is not nothing that is the same


@mpi
def test_all_processes_have_the_same_bits(tmp_path):
    first, *others = arrays(3, "ordinary", tmp_path / "many")
    for other in others:
        for name in ("values", "moving"):
            np.testing.assert_array_equal(first[name], other[name])
    run = tmp_path / "many" / "run"
    lines = read(run / "metrics.jsonl", Progress)
    assert len(lines) == 60 and lines[-1].loss < 0.7 * lines[0].loss
    assert all(0 < line.allreduce < line.seconds for line in lines)
    assert json.loads((run / "environment.json").read_text())[0]["processes"] == 3


@mpi
@pytest.mark.slow
def test_many_processes_learn_as_well_as_one(tmp_path):
    train, test = data.load("digits")
    accuracies = []
    for count in (1, 2):
        arrays(count, "digits", tmp_path / str(count))
        model = models.from_table(ranks.SLIM, 10)
        checkpoints.load_weights(tmp_path / str(count) / "run" / "last.safetensors", model)
        accuracies.append(evaluate(model, test, Preprocessing.of(train)).accuracy)
    assert min(accuracies) > 0.85
    assert abs(accuracies[0] - accuracies[1]) < 0.05  # 360 pictures: twice the deviation of 90% is 3%


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures: an epoch is two steps of four."""
    for k in range(12):
        part, name = "train" if k < 8 else "val", "dark" if k % 2 else "light"
        (tmp_path / "pictures" / part / name).mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (48, 48), (40 + k, 40, 40) if k % 2 else (200, 200 + k, 200))
        picture.save(tmp_path / "pictures" / part / name / f"{k}.png")
    return ["train", "--data", tmp_path / "pictures", "--size", 40, "--batch", 4]


@mpi
@pytest.mark.slow
def test_a_process_that_is_lost(tmp_path, pictures):
    """The others save, say what happened, and end; one process goes on from there, or three."""
    folder = tmp_path / "run"
    options = [*pictures, "--epochs", 5, "--out", folder]
    result = finished(mpiexec((1, [*COMMAND, *options]), (1, [*LOST, *options])))
    assert result.returncode != 0
    assert "process 1 was ended by SIGKILL, and the run with it" in result.stderr
    assert "Traceback" not in result.stderr
    saying = result.stderr.splitlines()
    (place,) = [k for k, line in enumerate(saying) if line.startswith("stopped at step 3; to go on:")]
    again = saying[place + 1]
    assert shlex.split(again)[-3:] == ["train", "--resume", str(folder)]
    assert runs.describe(folder).steps == 3
    shutil.copytree(folder, tmp_path / "copy")
    alone = subprocess.run(f"{again} --json", shell=True, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert json.loads(alone.stdout)["steps"] == 10
    three = finished(mpiexec((3, [*COMMAND, "train", "--resume", tmp_path / "copy", "--json"])))
    assert three.returncode == 0, three.stderr
    facts = json.loads(three.stdout)
    assert (facts["steps"], facts["processes"]) == (10, 3)
    assert 0 < facts["allreduce"] < 1
    starts = json.loads((tmp_path / "copy" / "environment.json").read_text())
    assert [(start["step"], start["processes"]) for start in starts] == [(0, 2), (3, 3)]


@mpi
@pytest.mark.slow
def test_the_first_process_is_lost(tmp_path, pictures):
    """Its last checkpoint remains, and its guard says so."""
    folder = tmp_path / "run"
    options = [*pictures, "--epochs", 5, "--save-steps", 2, "--out", folder]
    result = finished(mpiexec((1, [*LOST, *options]), (1, [*COMMAND, *options])))
    assert result.returncode != 0
    assert "process 0 was ended by SIGKILL, and the run with it" in result.stderr
    assert runs.describe(folder).steps == 2


@mpi
@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, pictures):
    folder = tmp_path / "run"
    process = mpiexec((2, [*COMMAND, *pictures, "--epochs", 1000, "--out", folder]))
    for line in process.stderr:
        if line.startswith("step 1, "):
            break
    process.send_signal(signal.SIGINT)
    result = finished(process)
    assert result.returncode != 0
    steps = runs.describe(folder).steps
    assert f"stopped at step {steps}; to go on:\n" in result.stderr
    assert shlex.split(result.stderr.partition("to go on:\n")[2].splitlines()[0])[-3:] == ["train", "--resume", str(folder)]
    assert len(read(folder / "metrics.jsonl", Progress)) == steps > 0


@mpi
@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (["--seed", 1], ["--seed", 2], "seed differs between process 0 and process 1; expected all processes to be started"),
        ([], ["--model", "nothing"], "process 1 of 2: model is 'nothing'; expected one of"),
        (["--batch", 1], ["--batch", 1], "batch is 1; expected at least 2, a picture for each process"),
        (["--lr", "1e17"], ["--lr", "1e17"], "training was stopped; a number is first not finite in"),
    ],
)
def test_what_is_wrong_is_said_once(tmp_path, pictures, first, second, sentence):
    options = [*pictures, "--epochs", 5, "--warmup", 0, "--out", tmp_path / "run"]
    result = finished(mpiexec((1, [*COMMAND, *options, *first]), (1, [*COMMAND, *options, *second])))
    assert result.returncode == 2, result.stderr
    assert result.stderr.count(sentence) == 1
    assert result.stderr.count("xception-np: ") == 1
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.fixture
def launched(monkeypatch):
    """As if an mpiexec had started this process and another one."""
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")


def test_without_mpi4py_there_is_a_sentence(launched, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(InputError, match=r"no MPI for Python .* install it with: pip install 'xception-np\[mpi\]'"):
        parallel.start()


def test_one_process_needs_no_mpi(launched, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_SIZE", "1")
    assert isinstance(parallel.start(), parallel.Alone)
    monkeypatch.delenv("PMI_RANK")
    monkeypatch.setenv("PMI_SIZE", "2")
    assert isinstance(parallel.start(), parallel.Alone)


@mpi
def test_the_mpiexec_of_another_mpi():
    """MPI sees one process where several were started: each would train alone, and write over the other's files."""
    code = "from xception_np.training import parallel; parallel.start()"
    variables = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}  # and no launcher to ask
    result = subprocess.run(
        [sys.executable, "-c", code], env={**ENVIRONMENT, **variables}, capture_output=True, text=True, check=False
    )
    assert "mpiexec started 2 processes, but mpi4py sees 1: its MPI is another one" in result.stderr


class Other:
    """Stands for an MPI with another process, and for the request that waits for it."""

    IN_PLACE = COMM_TYPE_SHARED = None
    Exception = RuntimeError

    def __init__(self, answer=None):
        self.COMM_WORLD, self.answer = self, answer

    def Get_rank(self):
        return 0

    def Get_size(self):
        return 2

    def Split_type(self, _):
        return self

    def Allgather(self, mine, found):
        found[...] = mine

    def Iallreduce(self, _, message):
        if self.answer is not None:
            message += self.answer(message)
        return self

    def Test(self):
        return self.answer is not None


def with_another(monkeypatch, answer, interrupted=lambda: False):
    monkeypatch.setenv("XCEPTION_NP_THREADS", "1")
    model = tiny_model()
    together = parallel.Ranks(Other(answer))
    together.begin(model.buffers, lambda: 5.0, interrupted)
    return model.buffers, together


def test_a_sum_that_never_comes_changes_nothing(monkeypatch):
    """The state to save is the last common one: without what this process's forward pass did to the moving statistics."""
    buffers, together = with_another(monkeypatch, None, interrupted=lambda: True)
    monkeypatch.setattr(together, "_grace", 0.0)
    before = buffers.moving.copy()
    buffers.moving[...] += 1
    with pytest.raises(parallel.Lost, match="the other processes did not answer for 0 seconds"):
        together.add_up(buffers, 0.5, 0.25, 0.5)
    np.testing.assert_array_equal(buffers.moving, before)


def test_both_shares_count(monkeypatch):
    buffers, together = with_another(monkeypatch, lambda message: 2 * message)  # as if the other's share were 2/3
    buffers.gradients[:], before = 3, buffers.moving.copy()
    monkeypatch.setattr(parallel, "CHECK_STEPS", 2)
    together._sums = 1  # a step without a checksum
    total = together.add_up(buffers, 0.5, 0.25, 1 / 3)
    assert total[:4] == (pytest.approx(0.5), pytest.approx(0.25), 15.0, False)
    np.testing.assert_allclose(buffers.gradients, 3)
    np.testing.assert_allclose(buffers.moving, before, rtol=1e-6)


def test_statistics_that_stay_are_not_rounded(monkeypatch):
    buffers, together = with_another(monkeypatch, lambda message: 2 * message)
    buffers.moving[:] = before = np.random.default_rng(0).uniform(0.5, 1.5, buffers.moving.size).astype(np.float32)
    together.begin(buffers, lambda: 5.0, lambda: False, moves=False)
    together._sums = 1  # a step without a checksum
    together.add_up(buffers, 0.5, 0.25, 1 / 3)
    np.testing.assert_array_equal(buffers.moving, before)


def test_other_parameters_are_noticed(monkeypatch):
    buffers, together = with_another(monkeypatch, lambda message: message)  # its checksum too
    together.add_up(buffers, 0.5, 0.25, 0.5)
    buffers, together = with_another(monkeypatch, lambda message: message + 1)
    with pytest.raises(InputError, match="process 0 has other parameters than the rest"):
        together.add_up(buffers, 0.5, 0.25, 0.5)


def test_alone_nothing_is_added_up():
    model = tiny_model()
    model.buffers.gradients[:] = 1
    alone = parallel.Alone()
    alone.begin(model.buffers, lambda: 5.0, lambda: True)
    assert alone.add_up(model.buffers, 0.5, 0.25, 1.0) == (0.5, 0.25, 5.0, True, 0.0)
    assert (model.buffers.gradients == 1).all()
    assert alone.all(lambda: 3) == 3
    assert alone.words("x") == ["x"]


def test_nobody_loads_mpi_who_is_alone():
    code = (
        "import sys, xception_np.commands.train; from xception_np.training import parallel;"
        "parallel.start(); print('mpi4py' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PMI", "OMPI"))}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_settings_know_nothing_of_processes():
    """A state that did could not be gone on with by another number of them."""
    assert not {"processes", "ranks"} & Settings().to_json().keys()

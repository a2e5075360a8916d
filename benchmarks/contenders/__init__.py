"""Who computes what. A contender is a module with a function for every kind of subject it knows, which gives its `Work`."""

import importlib
import importlib.util
import os
from typing import NamedTuple

from benchmarks import in_turn, subjects
from xception_np import threads
from xception_np.errors import InputError

SERVE = "--serve"  # with a name: the command of that contender's process


class Contender(NamedTuple):
    """A module beside this one, its setting, the packages that it needs, and the kinds of subject that it knows."""

    module: str
    setting: str
    packages: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for package in self.packages if importlib.util.find_spec(package) is None]

    def work(self, subject):
        """The computation of a subject."""
        module = importlib.import_module(f"{__name__}.{self.module}")
        return getattr(module, subject.what)(subject, self.setting)


NETWORKS, EVERYTHING = ("training", "inference"), ("training", "inference", "convolution")
CONTENDERS = {
    "xception_np": Contender("ours", "", (), EVERYTHING),
    "blas": Contender("blas", "", (), NETWORKS),
    "torch": Contender("with_torch", "eager", ("torch",), EVERYTHING),
    "torch.compile": Contender("with_torch", "compiled", ("torch",), NETWORKS),
    "torch.nchw": Contender("with_torch", "channels_first", ("torch",), ("convolution",)),
    "keras": Contender("with_keras", "graph", ("keras", "tensorflow"), NETWORKS),
    "keras.xla": Contender("with_keras", "xla", ("keras", "tensorflow"), NETWORKS),
    "onnxruntime": Contender("with_onnx", "onnxruntime", ("onnx", "onnxruntime"), ("inference",)),
    "openvino": Contender("with_onnx", "openvino", ("onnx", "openvino"), ("inference",)),
}
OURS, *OTHERS = CONTENDERS


def choose(names: list[str] | None) -> list[str]:
    """Ours and the others that are named; all that are installed if none is.

    Raises
    ------
    InputError
        If a name is not known, or what it needs is not installed.
    """
    if names is None:
        return [name for name, contender in CONTENDERS.items() if not contender.missing]
    for name in names:
        if name not in OTHERS:
            raise InputError(f"against is {name!r}; expected some of {', '.join(OTHERS)}, with commas between")
        if CONTENDERS[name].missing:
            missing = " ".join(CONTENDERS[name].missing)
            raise InputError(f"against is {name!r}, which needs what is not installed; install it with: pip install {missing}")
    return [OURS, *names]


def serve(name: str) -> None:
    """Be a contender: answer for every subject on standard input. Whatever threads there are share as many cores as ours has."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[: threads.count()]
        for thread in os.listdir("/proc/self/task"):  # some were started as libraries were imported
            os.sched_setaffinity(int(thread), cores)
    in_turn.serve(lambda text: CONTENDERS[name].work(subjects.parse(text)[0]))

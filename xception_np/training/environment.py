"""What a run ran on: versions, machine, threads. Nothing of the environment's variables, which may hold secrets."""

import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from xception_np import implementations, threads
from xception_np.errors import InputError
from xception_np.files import read_json, replacing

PACKAGES = ("xception-np", "numpy", "numba", "scipy", "scikit-learn", "safetensors", "pillow", "threadpoolctl")


def describe() -> dict[str, Any]:
    """The environment of this process, in types that JSON has."""
    return {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES if _installed(name)},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": threads.count(),
        "implementation": implementations.default(),
        "commit": _commit(),
    }


def record(path: Path, step: int, processes: int) -> None:
    """Add the environment to a file that has one entry for every start of a run, with the step it started from."""
    starts = read_json(path, "one that `train` wrote; remove it to go on") if step and path.exists() else []
    if not isinstance(starts, list):
        raise InputError(f"file {path} is no list of starts; expected one that `train` wrote; remove it to go on")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps([*starts, {"step": step, "processes": processes, **describe()}], indent=2) + "\n")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _cpu() -> str:
    """The processor's name: Linux has it in a file, macOS in `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str | None:
    """The commit of the checkout that this file belongs to, with a + if it was changed since; None outside of one."""
    here = Path(__file__).parent
    try:
        for command in (["ls-files", "--error-unmatch", "trainer.py"], ["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"]):
            done = subprocess.run(["git", *command], cwd=here, capture_output=True, text=True, check=True, timeout=10)
            if command[0] == "rev-parse":
                commit = done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if done.stdout else "")

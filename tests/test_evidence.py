"""What is said of the CUDA kernels is what has been done with them: a report of a GPU, once there is one, changes the sentence."""

import json
import re
from pathlib import Path

from xception_np import kernels, ops
from xception_np.commands import selfcheck
from xception_np.emulator import nvrtc

ROOT = Path(__file__).parent.parent
REPORTS = sorted((ROOT / "tests" / "golden").glob("selfcheck_gpu*.json"))


def test_the_sentence_says_what_was_compiled_and_what_ran():
    oldest, newest = nvrtc.ARCHITECTURES[0], nvrtc.ARCHITECTURES[-1]
    assert f"compiled for {oldest} to {newest}, run under emulation" in kernels.EVIDENCE
    if REPORTS:
        assert "not yet run on a GPU" not in kernels.EVIDENCE
        assert all(path.name in kernels.EVIDENCE for path in REPORTS)
        assert all(json.loads(path.read_text())["environment"]["gpu"] in kernels.EVIDENCE for path in REPORTS)
    else:
        assert kernels.EVIDENCE.endswith("not yet run on a GPU")


def test_the_sentence_names_what_has_changed_since():
    """A kernel that is not what ran: a report of the new one, or `..., but for conv/gpu.cu, which has changed since`."""
    now = kernels.digests()
    for path in REPORTS:
        then = json.loads(path.read_text())["sources"]
        changed = {name for name, digest in now.items() if then.get(name) != digest}
        _, _, named = kernels.EVIDENCE.partition("but for ")
        assert changed == set(re.findall(r"\w+/\w+\.cu", named)), path.name


def test_the_readme_says_the_same():
    text = " ".join((ROOT / "README.md").read_text().split())
    assert kernels.EVIDENCE in text


def test_reports_are_of_whole_runs_in_which_nothing_was_wrong():
    for path in REPORTS:
        facts = json.loads(path.read_text())
        assert (facts["implementation"] in ("gpu", "gpu_naive"), facts["right"]) == (True, True), path.name
        ran = {each["operation"] for each in facts["outcomes"]}
        assert ran <= {*ops.__all__, selfcheck.UPDATES}, path.name
        assert ran >= {selfcheck.UPDATES, *filter(_has_kernels, ops.__all__)}, path.name


def _has_kernels(operation: str) -> bool:
    """Of its own; what is composed of other operations launches theirs."""
    return Path(getattr(ops, operation).__file__).with_name("gpu.cu").exists()

"""What is said of the CUDA kernels is what has been done with them: a report of a GPU, once there is one, changes the sentence."""

import json
from pathlib import Path

from xception_np import kernels, ops
from xception_np.emulator import nvrtc

ROOT = Path(__file__).parent.parent
REPORTS = sorted((ROOT / "tests" / "golden").glob("selfcheck_gpu*.json"))


def test_the_sentence_says_what_was_compiled_and_what_ran():
    oldest, newest = nvrtc.ARCHITECTURES[0], nvrtc.ARCHITECTURES[-1]
    assert f"compiled for {oldest} to {newest}, run under emulation, " in kernels.EVIDENCE
    if REPORTS:
        assert "not yet run on a GPU" not in kernels.EVIDENCE
        assert all(path.name in kernels.EVIDENCE for path in REPORTS)
    else:
        assert kernels.EVIDENCE.endswith("not yet run on a GPU")


def test_the_readme_says_the_same():
    text = " ".join((ROOT / "README.md").read_text().split())
    assert kernels.EVIDENCE in text


def test_reports_are_of_whole_runs_in_which_nothing_was_wrong():
    for path in REPORTS:
        facts = json.loads(path.read_text())
        assert (facts["implementation"], facts["right"]) == ("gpu", True), path.name
        assert facts["environment"]["gpu"], path.name
        assert {each["operation"] for each in facts["outcomes"]} == set(ops.__all__), path.name

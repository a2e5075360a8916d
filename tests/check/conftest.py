"""The list of mutants that no check can catch, which every mutation test is held against."""

from collections import Counter
from pathlib import Path

import pytest

LIST = Path(__file__).parent / "equivalent_mutants.txt"


@pytest.fixture(scope="session")
def equivalent_mutants() -> Counter:
    """The mutants of the list, as they are printed, without their reasons."""
    mutants = Counter()
    for block in LIST.read_text().strip().split("\n\n")[1:]:
        first, *change = block.splitlines()
        name, reason = first.split(": ")
        assert reason
        mutants["\n".join([name, *change])] += 1
    return mutants


@pytest.fixture
def require_listed(equivalent_mutants):
    """A function of a file's survivors: they must be those of the list, and the other way round."""

    def require(file, survivors):
        found = Counter(map(str, survivors))
        listed = Counter({name: count for name, count in equivalent_mutants.items() if name.startswith(f"{file}.")})
        for difference, what in (
            (found - listed, "survived and is not in the list"),
            (listed - found, "is in the list and was caught"),
        ):
            assert not difference, "\n\n".join([f"In {LIST.name}: {what}", *difference.elements()])

    return require

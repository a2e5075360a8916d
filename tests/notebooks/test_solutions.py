"""The exercises of a notebook are those of the package: the same holes, and the same solutions folded away below them."""

import re
from pathlib import Path

import pytest

from xception_np import exercises

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install -e '.[notebooks]'")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
CHECK = re.compile(r'^exercises\.check\("(\w+)", \w+\);?$', re.M)
SOLUTION = re.compile(r"<details><summary>Solution</summary>\n\n```python\n(.*?)```\n\n</details>", re.S)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_are_the_packages(path):
    cells = nbformat.read(path, as_version=4).cells
    asked = [name for cell in cells if cell.cell_type == "code" for name in CHECK.findall(cell.source)]
    folded = [text for cell in cells if cell.cell_type == "markdown" for text in SOLUTION.findall(cell.source)]
    assert asked
    assert folded == [exercises.solution(name) for name in asked]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_holes_are_solutions_without_their_lines(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for name in CHECK.findall(cell.source) if cell.cell_type == "code" else ():
            head, docstring, _ = exercises.solution(name).split('"""', 2)
            assert cell.source.startswith(f'{head}"""{docstring}"""\n    ...\n'), name

"""Every notebook runs from its first cell to its last, in time, and is saved as somebody ran it."""

import time
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install -e '.[notebooks]'")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install -e '.[notebooks]'")
pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install -e '.[notebooks]'")

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MINUTES = 2


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path):
    notebook = nbformat.read(path, as_version=4)
    start = time.monotonic()
    nbclient.NotebookClient(notebook, timeout=60 * MINUTES, resources={"metadata": {"path": FOLDER}}).execute()
    print(f"{path.stem}: {time.monotonic() - start:.0f} s")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_saved_with_its_outputs(path):
    assert path.stat().st_size < 1 << 20
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(notebook.cells) <= 30
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run all cells from the first, and save"
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    # A widget's own picture is not kept in the file: beside each there is one that is.
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_nothing_of_the_machine_it_was_run_on(path):
    """Paths of somebody's machine, warnings of a library."""
    text = path.read_text()
    for trace in ("/home/", "/tmp/", "/root/", f"{FOLDER}", "Warning:", "Traceback"):
        assert trace not in text, trace

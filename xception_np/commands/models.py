"""`xception-np models`."""

from rich.table import Column
from rich.table import Table as Grid

from xception_np import models
from xception_np.commands.output import emit, print_grid
from xception_np.errors import InputError
from xception_np.layers import Chain
from xception_np.models import paper, summary


def run(name: str | None, with_paper: bool, as_json: bool) -> None:
    """List the networks, or show one layer by layer, or the paper's tables."""
    if with_paper:
        _show_paper(name, as_json)
        return
    chosen = models.TABLES.values() if name is None else [models.find(name)]
    chains = [(table, models.outline(table)) for table in chosen]
    if as_json:
        emit({table.name: _facts(table, chain, layers=name is not None) for table, chain in chains})
    elif name is not None:
        table, chain = chains[0]
        print(summary.text(chain, table.input_shape))
    else:
        numbers = (Column(head, justify="right") for head in ("classes", "parameters", "multiply-adds"))
        grid = Grid("network", "input", *numbers, box=None, pad_edge=False)
        for table, chain in chains:
            cost = summary.total(chain, table.input_shape)
            size = f"{table.input_size} x {table.input_size}"
            grid.add_row(table.name, size, str(table.classes), f"{cost.parameters:,}", f"{cost.macs:,}")
        print_grid(grid)


def _show_paper(name: str | None, as_json: bool) -> None:
    if name is not None:
        raise InputError(f"name is {name!r}; expected none with --paper, which shows the paper's tables")
    if as_json:
        tables = {
            table.title: {result.name: dict(zip(table.columns, result.numbers, strict=True)) for result in table.results}
            for table in paper.TABLES
        }
        emit({"source": paper.SOURCE, "tables": tables})
        return
    print(f"As published, not measured here: {paper.SOURCE}")
    for table in paper.TABLES:
        grid = Grid("", *(Column(head, justify="right") for head in table.columns), box=None, pad_edge=False)
        for result in table.results:
            grid.add_row(result.name, *map(_as_printed, result.numbers))
        print(f"\n{table.title}")
        print_grid(grid)


def _as_printed(number: float) -> str:
    """A part of 1 with three digits, other fractions with two, as the paper has them."""
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:.3f}" if number < 1 else f"{number:.2f}"


def _facts(table: models.Table, chain: Chain, layers: bool) -> dict:
    cost = summary.total(chain, table.input_shape)
    facts = {"input_size": table.input_size, "classes": table.classes, **cost._asdict(), "source": table.source}
    if layers:
        facts["layers"] = [
            {"name": row.name, "kind": row.kind, "output_shape": row.output_shape, **row.cost._asdict()}
            for row in chain.rows(table.input_shape)
        ]
    return facts

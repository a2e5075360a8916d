"""`xception-np models`."""

from rich.console import Console
from rich.table import Table as Grid

from xception_np import models
from xception_np.commands.output import emit
from xception_np.layers import Chain
from xception_np.models import summary


def run(name: str | None, as_json: bool) -> None:
    """List the networks, or show one layer by layer."""
    chosen = models.TABLES.values() if name is None else [models.find(name)]
    chains = [(table, Chain(table.name, models.layers_of(table, table.classes))) for table in chosen]
    if as_json:
        emit({table.name: _facts(table, chain, layers=name is not None) for table, chain in chains})
    elif name is not None:
        table, chain = chains[0]
        print(summary.text(chain, table.input_shape))
    else:
        grid = Grid("network", "input", "classes", "parameters", "multiply-adds", box=None, pad_edge=False)
        for table, chain in chains:
            cost = summary.total(chain, table.input_shape)
            size = f"{table.input_size} x {table.input_size}"
            grid.add_row(table.name, size, str(table.classes), f"{cost.parameters:,}", f"{cost.macs:,}")
        Console().print(grid)


def _facts(table: models.Table, chain: Chain, layers: bool) -> dict:
    cost = summary.total(chain, table.input_shape)
    facts = {"input_size": table.input_size, "classes": table.classes, **cost._asdict(), "source": table.source}
    if layers:
        facts["layers"] = [
            {"name": row.name, "kind": row.kind, "output_shape": row.output_shape, **row.cost._asdict()}
            for row in chain.rows(table.input_shape)
        ]
    return facts

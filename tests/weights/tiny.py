"""Networks of a few thousand numbers with the published networks' modules, layers and names."""

from xception_np import models
from xception_np.models.table import Conv, Full, Plain, Sep, Table, Towers

SIZE = 32


def tiny_xception(name: str = "xception") -> Table:
    """One module of each kind, few channels."""
    table = models.TABLES[name]
    modules = tuple(
        module for module in table.modules if module.name in ("block1", "block2", "block3", "block5", "block13", "block14")
    )
    widths = {32: 2, 64: 3, 128: 4, 256: 5, 728: 5, 1024: 6, 1536: 7, 2048: 8}
    return _narrowed(table._replace(name=f"tiny_{name}", modules=modules, input_size=SIZE, classes=3), widths.__getitem__)


def tiny_inception() -> Table:
    """A stem, a module with its towers parted again, and enough layers for numbers of two digits."""
    table = models.TABLES["inception_v3"]
    modules = tuple(module for module in table.modules if module.name in ("stem1", "mixed0", "mixed9"))
    table = table._replace(name="tiny_inception_v3", modules=modules, input_size=SIZE, classes=3)
    return _narrowed(table, lambda filters: 2 + filters % 5)


def tiny_vgg() -> Table:
    """Two blocks, biases, and fully connected layers."""
    table = models.TABLES["vgg16"]
    modules = tuple(module for module in table.modules if module.name in ("block1", "block5"))
    head = tuple(row._replace(units=4) if isinstance(row, Full) else row for row in table.head)
    table = table._replace(name="tiny_vgg16", modules=modules, head=head, input_size=SIZE, classes=3)
    return _narrowed(table, lambda filters: 2 + filters // 256)


def _narrowed(table: Table, width) -> Table:
    def of(rows):
        return tuple(changed(row) for row in rows)

    def changed(row):
        if isinstance(row, Conv | Sep):
            return row._replace(filters=width(row.filters))
        if isinstance(row, Towers):
            return row._replace(towers=tuple(tower._replace(rows=of(tower.rows)) for tower in row.towers))
        return row

    return table._replace(
        modules=tuple(
            module._replace(rows=of(module.rows))
            if isinstance(module, Plain)
            else module._replace(main=of(module.main), shortcut=of(module.shortcut))
            for module in table.modules
        )
    )

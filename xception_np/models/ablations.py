"""Tables changed in one respect, for the questions of the paper's sections 4.6 and 4.7 and of its conclusion.

changed(XCEPTION_SMALL, "no-residual")      without residual connections (Figure 9)
changed(XCEPTION_SMALL, "relu")             ReLU between depthwise and pointwise convolution (Figure 10); "elu" as well
changed(XCEPTION_SMALL, "segments=4")       the spatial half of every separable convolution in 4 segments, not one a channel
"""

from collections.abc import Callable

from xception_np.errors import InputError
from xception_np.models.table import Plain, Residual, Sep, Table

CHANGES = "no-residual, relu, elu or segments=S"


def changed(table: Table, change: str) -> Table:
    """The table with one change, named `TABLE:CHANGE`.

    Raises
    ------
    InputError
        If there is no such change, or nothing for it to change.
    """
    match change.split("="):
        case ["no-residual"]:
            modules = tuple(map(_without_residual, table.modules))
        case ["relu" | "elu" as activation]:
            if any(row.between for row in _separable(table)):
                raise InputError(f"change of {table.name} is {change!r}; expected no second activation")
            modules = _each_separable(table, lambda row: row._replace(between=activation))
        case ["segments", digits] if digits.isascii() and digits.isdigit() and len(digits) < 6 and digits[0] != "0":
            if any(row.segments for row in _separable(table)):
                raise InputError(f"change of {table.name} is {change!r}; expected no second number of segments")
            modules = _each_separable(table, lambda row: row._replace(segments=int(digits)))
        case _:
            raise InputError(f"change of {table.name} is {change!r}; expected {CHANGES}")
    if modules == table.modules:
        raise InputError(f"change of {table.name} is {change!r}, which changes nothing there; expected another one")
    separator = "," if ":" in table.name else ":"
    return table._replace(name=f"{table.name}{separator}{change}", modules=modules)


def _without_residual(module: Plain | Residual) -> Plain:
    """The same rows without the connection around them."""
    return Plain(module.name, module.main) if isinstance(module, Residual) else module


def _each_separable(table: Table, change: Callable[[Sep], Sep]) -> tuple:
    """The modules with every separable convolution changed."""

    def of(rows: tuple) -> tuple:
        return tuple(change(row) if isinstance(row, Sep) else row for row in rows)

    return tuple(
        module._replace(main=of(module.main)) if isinstance(module, Residual) else module._replace(rows=of(module.rows))
        for module in table.modules
    )


def _separable(table: Table) -> list[Sep]:
    rows = [module.main if isinstance(module, Residual) else module.rows for module in table.modules]
    return [row for module in rows for row in module if isinstance(row, Sep)]

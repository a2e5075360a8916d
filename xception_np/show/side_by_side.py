"""Several texts of one thing, next to each other, as a table for a notebook."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent

from xception_np.errors import InputError


class SideBySide:
    """A table of program texts that a notebook shows: a row a part, a column a version.

    Parameters
    ----------
    columns : names of the versions
    rows : the texts of every part, by its name
    """

    def __init__(self, columns: Sequence[str], rows: Mapping[str, Sequence[str]]):
        self.columns, self.rows = tuple(columns), {name: tuple(texts) for name, texts in rows.items()}
        for name, texts in self.rows.items():
            if len(texts) != len(self.columns):
                raise InputError(f"part {name} has {len(texts)} texts; expected {len(self.columns)}, one for each column")

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            f'<tr><th colspan="{len(self.columns)}" style="text-align:left">{escape(name)}</th></tr>'
            f"<tr>{''.join(map(_cell, texts))}</tr>"
            for name, texts in self.rows.items()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        return "\n\n".join(
            f"{part}, {column}\n{text}"
            for part, texts in self.rows.items()
            for column, text in zip(self.columns, texts, strict=True)
        )


def function_text(function: Callable, start: str = "def ", end: str | None = None) -> str:
    """The text of a Python function, from the line that has `start` to the one before that which has `end`."""
    return _part(dedent(inspect.getsource(function)).rstrip().splitlines(), start, end)


def kernel_text(file: Path, name: str, start: str | None = None) -> str:
    """The text of a kernel in a `.cu` file: all of it, or the lines of its body from the one that has `start`."""
    found = re.search(rf'^extern "C" __global__ void {re.escape(name)}\(.*?^}}', file.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise InputError(f"kernel is {name!r}; expected one that {file.name} has")
    return found.group() if start is None else _part(found.group().splitlines()[:-1], start, None)


def _part(lines: Sequence[str], start: str, end: str | None) -> str:
    first = _line(lines, start)
    last = len(lines) if end is None else first + 1 + _line(lines[first + 1 :], end)
    return dedent("\n".join(lines[first:last])).rstrip()


def _line(lines: Sequence[str], text: str) -> int:
    found = next((k for k, line in enumerate(lines) if text in line), None)
    if found is None:
        raise InputError(f"text is {text!r}; expected what a line has")
    return found


def _cell(text: str) -> str:
    return f'<td style="text-align:left;vertical-align:top"><pre style="font-size:10px;line-height:1.3">{escape(text)}</pre></td>'

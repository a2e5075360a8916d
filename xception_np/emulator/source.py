"""Reading a `.cu` file: its kernels and what they take, and its shared memory, as C++ can say it.

The file is plain CUDA and stays as it is. Two things have to be known of its text:

- **Signatures.** A launch passes bare bytes, so whoever launches must know what every argument is (`kernels`).
- **Shared memory.** A header can give meaning to every other word of CUDA, but not to `__shared__`, whose arrays belong to a block.
  `with_shared_memory` rewrites the declarations, on the lines where they are:

      __shared__ float tile[32][33];        EMULATOR_SHARED(alignof(float), float, tile, [32][33]);
      extern __shared__ float all[];        EMULATOR_DYNAMIC_SHARED(float, all);

What neither knows is refused, with its line.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from xception_np.errors import InputError

# The C types that a kernel's argument may have, as NumPy has them
TYPES: dict[str, np.dtype] = {
    name: np.dtype(dtype)
    for name, dtype in {
        "float": np.float32,
        "double": np.float64,
        "bool": np.bool_,
        "char": np.int8,
        "signed char": np.int8,
        "unsigned char": np.uint8,
        "short": np.int16,
        "unsigned short": np.uint16,
        "int": np.int32,
        "unsigned int": np.uint32,
        "unsigned": np.uint32,
        "long long": np.int64,
        "unsigned long long": np.uint64,
        "size_t": np.uint64,
    }.items()
}
_VECTORS = {
    "float2": "float",
    "float4": "float",
    "double2": "double",
    "int2": "int",
    "int4": "int",
    "uint2": "unsigned",
    "uint4": "unsigned",
}

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*.*?\*/", re.DOTALL)
_BOUNDS = r"(?:__launch_bounds__\s*\(([^),]*)[^)]*\)\s*)?"
_KERNEL = re.compile(rf"\b__global__\s+{_BOUNDS}void\s+{_BOUNDS}(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)")
_QUOTED = re.compile(_STRING + r"|'(?:\\.|[^'\\\n])'")
_C_LINKAGE = re.compile(r'extern\s+"C"\s*$')
_ALIGNMENT = r"(?:(?:__align__|alignas)\s*\((?P<alignment>[^)]*)\)\s*)?"
_SHARED = re.compile(
    r"\b(?P<dynamic>extern\s+)?__shared__\s+"
    + _ALIGNMENT
    + r"(?P<type>[A-Za-z_][\w\s]*?)\s+(?P<name>\w+)\s*(?P<sizes>(?:\[[^\]]*\]\s*)*);"
)


class Parameter(NamedTuple):
    """What a kernel takes at one place: an array (`pointer`, and `const` if it only reads), or a number."""

    name: str
    type: str
    dtype: np.dtype
    pointer: bool
    const: bool
    restrict: bool

    @property
    def declaration(self) -> str:
        """As in C, without the name."""
        return f"{'const ' if self.const else ''}{self.type}{'*' if self.pointer else ''}"


def kernels(text: str, defines: Mapping[str, str], file: str) -> dict[str, tuple[Parameter, ...]]:
    """The kernels of a source text, by name, with their parameters.

    Parameters
    ----------
    text : str
    defines : mapping of str to str
        Macros of the compilation, such as REAL: "float", which may stand for types.
    file : str
        The name of the file, for messages.
    """
    text = without_comments(text)
    found = {}
    for match in _KERNEL.finditer(text):
        name, line = match["name"], _line(text, match.start())
        if not _C_LINKAGE.search(text, 0, match.start()):
            raise InputError(
                f'kernel {name} ({file}:{line}) is not declared extern "C"; expected extern "C" __global__ void {name}(...)'
            )
        declarations = [each for each in match["parameters"].split(",") if each.strip()]
        found[name] = tuple(_parameter(each, defines, f"{name} ({file}:{line})") for each in declarations)
    if not found:
        raise InputError(f'{file} has no kernel; expected at least one extern "C" __global__ void NAME(...)')
    return found


def names(text: str) -> list[str]:
    """The names of a source text's kernels, whatever they take."""
    return [match["name"] for match in _KERNEL.finditer(without_comments(text))]


def launch_bounds(text: str) -> dict[str, str]:
    """How many threads a block may have, by the names of the kernels that say so: an expression in C, without parentheses."""
    found = {match["name"]: match[1] or match[2] for match in _KERNEL.finditer(without_comments(text))}
    return {name: bound for name, bound in found.items() if bound is not None}


def body(text: str, kernel: str) -> tuple[int, int]:
    """First and last line of a kernel's body: from that after its opening brace, if there are more, to that of the closing one."""
    plain = _QUOTED.sub(lambda match: " " * len(match[0]), without_comments(text))
    heads = (match.end() for match in _KERNEL.finditer(plain) if match["name"] == kernel)
    opening = next(end for end in heads if plain[end:].lstrip().startswith("{"))  # not a declaration
    first, last, depth = _line(plain, plain.index("{", opening)), len(text.splitlines()), 0
    for brace in re.finditer("[{}]", plain[opening:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            last = _line(plain, opening + brace.start())
            break
    return min(first + 1, last), last


def with_shared_memory(text: str, file: str) -> str:
    """The text with its shared memory declared by the emulator's macros, every line where it was."""
    plain = without_comments(text)
    pieces, end = [], 0
    for match in _SHARED.finditer(plain):
        if plain.count("{", 0, match.start()) == plain.count("}", 0, match.start()):
            raise _refused(file, plain, match.start(), "outside of a function")
        kind, name, sizes = match["type"], match["name"], match["sizes"].strip()
        if match["dynamic"]:
            macro = f"EMULATOR_DYNAMIC_SHARED({kind}, {name});"
        else:
            macro = f"EMULATOR_SHARED({match['alignment'] or f'alignof({kind})'}, {kind}, {name}, {sizes});"
        pieces += [plain[end : match.start()], macro, "\n" * match[0].count("\n")]
        end = match.end()
    rewritten = "".join([*pieces, plain[end:]])
    if left := re.search(r"\b__shared__\b", rewritten):
        raise _refused(file, rewritten, left.start(), "in a form that the emulator does not know")
    return rewritten


def without_comments(text: str) -> str:
    """The text with spaces for its comments, every line where it was."""
    return _COMMENT.sub(lambda match: match[0] if match[0][0] == '"' else re.sub(r"[^\n]", " ", match[0]), text)


def _parameter(text: str, defines: Mapping[str, str], kernel: str) -> Parameter:
    stars, words = text.count("*"), text.replace("*", " * ").split()
    words = [defines.get(word, word) for word in words if word not in ("__restrict__", "const", "*")]
    const = "const" in text.split("*")[0].split()
    name, kind = words[-1], " ".join(words[:-1])
    element = _VECTORS.get(kind, kind) if stars else kind
    if stars > 1 or element not in TYPES:
        what = f"{kind}{'*' * stars}"
        raise InputError(
            f"parameter {name} of kernel {kernel} is of type {what}; expected a number or a pointer to one: {', '.join(TYPES)}"
        )
    return Parameter(name, kind, TYPES[element], stars == 1, const, "__restrict__" in text)


def _refused(file: str, text: str, position: int, what: str) -> InputError:
    return InputError(
        f"{file}:{_line(text, position)} declares shared memory {what}; expected, inside a function, one array or number: "
        "`__shared__ TYPE NAME[SIZE];` or `extern __shared__ TYPE NAME[];`"
    )


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1

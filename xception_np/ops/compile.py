"""How the loops of the `cpu` implementation are compiled: once, for all of them.

- `nogil`: a compiled function lets other Python threads run, so all threads of the pool can be inside it at a time.
- `cache`: the machine code is kept on disk. Numba looks for changes in the function's own file only; a function that
  calls another file's is `compiled_with` that file.
- `fastmath` without `nnan` and `ninf`: sums may be reordered and vectorised, but NaN and infinity survive.
- `error_model="numpy"`: no test for division by zero inside loops.

`compiled_apart` promises more: what the function writes to overlaps with none of its other arguments. Then the compiler can keep
numbers in registers without asking, and a loop over channels that reads a dozen pixels is still one of vectors. Numba then also
assumes that no argument outlives the call: a function that returns a view of an argument may only be `compiled`.
`fetch` asks for pixels before they are wanted.

A pass over tiles is one compiled function, which every thread of the pool enters once (`threads.together`):

    for k in taken(queue, len(tiles)):
        ...                 # the k-th tile
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic

from xception_np.errors import InputError

_LINE = 64  # bytes that a cache fetches at a time
_PACKAGE = __name__.rpartition(".")[0]
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "error_model": "numpy",
}


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # made from the environment
    raise InputError(
        "NUMBA_DISABLE_JIT is set; expected it unset: parts of 'cpu' are generated machine code and do not run as Python"
    )


class _Apart(Compiler):
    """Numba's compiler, with arguments that do not overlap (C's `restrict`)."""

    def define_pipelines(self):
        self.state.flags.noalias = True
        return super().define_pipelines()


def compiled(function):
    """Compile a function when it is called, for each kind of arguments, with what this module says."""
    return _new_enough(_as_variables(_jit(function)), set())


def compiled_apart(function):
    """The same, for one that writes to nothing that overlaps with its other arguments."""
    return _new_enough(_as_variables(_jit(function, pipeline_class=_Apart)), set())


def _jit(function, **options):
    try:
        return numba.njit(**_OPTIONS, **options)(function)
    except RuntimeError as error:  # Numba's, where no folder that it knows may be written to
        raise InputError(
            "NUMBA_CACHE_DIR is not set, and no other folder for machine code may be written to; set it to one that may be"
        ) from error


def _as_variables(dispatcher):
    """A function for which a constant is an argument like any other: Numba would compile it for f(x, 0) again, after f(x, n)."""
    template_of = dispatcher.get_call_template

    def get_call_template(args, kws):
        return template_of(tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


def _new_enough(dispatcher, files: set[Path]):
    """A compiled function, of which nothing is kept that is older than these files or this one."""
    newest = max(file.stat().st_mtime for file in {Path(__file__), *files})
    for index in _kept(dispatcher):
        with suppress(FileNotFoundError):  # another process, that has just started too, may be faster
            if index.stat().st_mtime < newest:
                index.unlink()
    return dispatcher


def _kept(dispatcher) -> Iterator[Path]:
    """The files, one for each kind of machine, that say what is on disk."""
    return Path(dispatcher.stats.cache_path).glob(f"*.{dispatcher.py_func.__name__}-*.nbi")


def _add_one(_, address):
    if not isinstance(address, types.Integer):
        return None  # not for these arguments: a TypingError

    def generate(context, builder, signature, arguments):
        integer = context.get_value_type(types.int64)
        number = builder.inttoptr(arguments[0], integer.as_pointer())
        return builder.atomic_rmw("add", number, context.get_constant(types.int64, 1), "acq_rel")

    return types.int64(types.int64), generate


# The number at an address, and one more for whoever comes next: an atomic addition, so that each number goes to one thread only
_take: Any = intrinsic(_add_one)


@numba.njit(nogil=True)  # not kept on disk: Numba cannot use a generator from there in a function that it compiles
def taken(queue, items):
    """Numbers below `items`, each for one of the threads that share the queue.

    `queue` is the address of an int64, 0 at first, not an array: Numba never lets go of an array that a generator was given.
    """
    k = _take(queue)
    while k < items:
        yield k
        k = _take(queue)


def _ask_for_line(_, array, place):
    if not isinstance(array, types.Array):
        return None

    def generate(context, builder, signature, arguments):
        first = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(first, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [address, number(0), number(2), number(1)])  # to read; into the second-level cache; data
        return context.get_dummy_value()

    return types.none(array, place), generate


_ask: Any = intrinsic(_ask_for_line)


@compiled
def fetch(pixels):
    """Ask for pixels (rows, columns, C) from memory, and do not wait: they come into the second-level cache meanwhile.

    A processor sees by itself that somebody reads row after row; that the next row of windows will want two more rows of an image,
    a few channels here and a few there, it does not.
    """
    line = _LINE // pixels.itemsize
    for i in range(pixels.shape[0]):
        for j in range(pixels.shape[1]):
            for place in range(0, pixels.shape[2], line):
                _ask(pixels[i, j], place)


def _files(modules: Iterable[ModuleType]) -> set[Path]:
    """The files of modules, and of those that they call in turn: the other modules of `xception_np.ops` that they name."""
    found: set[Path] = set()
    left = list(modules)
    while left:
        module = left.pop()
        file = Path(module.__file__ or "")
        if module.__file__ and file not in found:
            found.add(file)
            named = (value for value in vars(module).values() if isinstance(value, ModuleType))
            left += [other for other in named if other.__name__.startswith(_PACKAGE)]
    return found


def compiled_with(*modules: ModuleType, how: Callable = compiled_apart) -> Callable:
    """`compiled_apart`, or `compiled`, for one that calls other modules: what is kept of it goes when one of them changes."""
    return lambda function: _new_enough(how(function), _files(modules))


def is_kept(dispatcher) -> bool:
    """Whether machine code of a compiled function is on disk, for arguments of any kind."""
    return any(_kept(dispatcher))

"""y += a.T @ b by BLAS, in compiled functions.

Numba's `np.dot` writes a product and cannot add one: a sum over tiles would be written and read once more for each. BLAS itself
can, and is called here as Numba calls it, through its `numba_xxgemm`.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import linalg

_KINDS = {types.float32: "s", types.float64: "d"}


def _add_product_typed(_, a, b, y, add):
    if not a.dtype == b.dtype == y.dtype or a.dtype not in _KINDS:
        return None  # not for these arguments: a TypingError

    def generate(context, builder, signature, arguments):
        a, b, y = (context.make_array(signature.args[k])(context, builder, arguments[k]) for k in range(3))
        (terms, depth), (_, width) = (cgutils.unpack_tuple(builder, array.shape, 2) for array in (a, b))
        number, address, size = context.get_value_type(signature.args[2].dtype), ir.IntType(8).as_pointer(), terms.type

        def kept(value):
            return builder.bitcast(cgutils.alloca_once_value(builder, value), address)

        def letter(name):
            return ir.Constant(ir.IntType(8), ord(name))

        one, zero = ir.Constant(number, 1.0), ir.Constant(number, 0.0)
        # BLAS reads columns where these arrays have rows, and so finds y.T = b.T @ a: b as it is, a transposed
        called = [
            letter(_KINDS[signature.args[2].dtype]),
            *(letter("n"), letter("t")),
            *(width, depth, terms),
            *(kept(one), builder.bitcast(b.data, address), width, builder.bitcast(a.data, address), depth),
            *(kept(builder.select(arguments[3], one, zero)), builder.bitcast(y.data, address), width),
        ]
        byte = ir.IntType(8)
        kind = ir.FunctionType(
            ir.IntType(32), [byte] * 3 + [size] * 3 + [address, address, size] + [address, size, address] + [address, size]
        )
        function = cgutils.get_or_insert_function(builder.module, kind, "numba_xxgemm")
        linalg.check_blas_return(context, builder, builder.call(function, called))
        return context.get_dummy_value()

    linalg.ensure_blas()
    return types.void(a, b, y, add), generate


# add_product(a, b, y, add): y += a.T @ b, or = if not `add`; a (P, K), b (P, N), y (K, N), all C-contiguous
add_product: Any = intrinsic(_add_product_typed)

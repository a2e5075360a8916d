"""Compiled loops in which threads spin: wait for each other, awake and without the interpreter's lock.

number (1,) array of int64, which another thread writes: each look reads it from memory
"""

from typing import Any

import numba
from numba.core import types
from numba.extending import intrinsic


def _load_typed(_, array):
    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load_atomic(data, "acquire", 8)

    return array.dtype(array), generate


def _store_typed(_, array, value):
    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.store_atomic(arguments[1], data, "release", 8)
        return context.get_dummy_value()

    return types.none(array, array.dtype), generate


# number[0], as an atomic load, where a plain one would be moved out of the loop
_load: Any = intrinsic(_load_typed)
# and as an atomic store: who sees it sees what was stored before
_store: Any = intrinsic(_store_typed)


@numba.njit(nogil=True, cache=True)
def changes(number, seen, looks):
    """Whether number[0] is something else than `seen`, within so many looks."""
    left = looks
    while left > 0 and _load(number) == seen:
        left -= 1
    return left > 0


@numba.njit(nogil=True, cache=True)
def is_wanted(ticket, most, done, k, looks):
    """Whether a pass begins, within so many looks, that the k-th helper has a part in. One that it has none in, it is done with."""
    left = looks
    while left > 0:
        number = _load(ticket)
        if number != done[0]:
            if k < _load(most):
                return True
            _store(done, number)
        left -= 1
    return False


@numba.njit(nogil=True, cache=True)
def announce(ticket, most, helpers, begun, looks):
    """Say how many helpers are wanted, count the ticket up, and take a few looks for who has begun."""
    _store(most, helpers)
    _store(ticket, ticket[0] + 1)
    changes(begun, 0, looks)


@numba.njit(nogil=True, cache=True)
def finish(done, ticket):
    """Say that a helper is done with a pass: who sees it sees all that it has written."""
    _store(done, ticket)


@numba.njit(nogil=True, cache=True)
def until_all_are(numbers, value):
    """Return when every numbers[k, 0] is this value."""
    for k in range(len(numbers)):
        while _load(numbers[k]) != value:
            pass

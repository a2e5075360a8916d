"""A launch's arguments: compared with the kernel's signature, then packed as bytes.

A GPU asks no questions: it takes an array for a bare address and a number for so many bytes. So an array's dtype must be that of
the pointer, and a number one of NumPy's, of the parameter's own type: a Python float, say, would be passed as 8 bytes where a
kernel takes 4.
"""

import ctypes
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from xception_np.emulator import device, native
from xception_np.emulator.device import ndarray
from xception_np.emulator.source import Parameter
from xception_np.errors import InputError


class Memory(NamedTuple):
    """An array, and all parameters that it is given for."""

    array: ndarray
    parameters: list[Parameter]

    @property
    def name(self) -> str:
        """As a report has it."""
        return " = ".join(each.name for each in self.parameters)

    @property
    def range(self) -> tuple[int, int]:
        """Address and bytes."""
        return device.address(self.array), self.array.nbytes


def memories(kernel: str, parameters: Sequence[Parameter], args: Sequence) -> list[Memory]:
    """The different arrays among a kernel's arguments; InputError unless all arguments are what the kernel takes."""
    if len(args) != len(parameters):
        expected = ", ".join(f"{each.declaration} {each.name}" for each in parameters)
        raise InputError(f"args has {len(args)} values; expected {len(parameters)}, as kernel {kernel} takes: {expected}")
    found: dict[tuple[int, int], Memory] = {}
    for parameter, value in zip(parameters, args, strict=True):
        _check(kernel, parameter, value)
        if parameter.pointer:
            memory = Memory(value, [])
            found.setdefault(memory.range, memory).parameters.append(parameter)
    _check_overlaps(kernel, found)
    return list(found.values())


def packed(parameters: Sequence[Parameter], args: Sequence, addresses: Mapping[tuple[int, int], int]) -> ctypes.Array:
    """The bytes of all arguments; an array is passed as the address that its range has in `addresses`."""
    content = bytearray(native.MOST_ARGUMENTS * native.ARGUMENT_BYTES)
    for number, (parameter, value) in enumerate(zip(parameters, args, strict=True)):
        each = np.uint64(addresses[device.address(value), value.nbytes]) if parameter.pointer else value
        start = number * native.ARGUMENT_BYTES
        content[start : start + each.nbytes] = each.tobytes()
    return (ctypes.c_char * len(content)).from_buffer(content)


def _check(kernel: str, parameter: Parameter, value) -> None:
    kind, expected = (ndarray, "a device array of") if parameter.pointer else (np.generic, "a NumPy number,")
    if isinstance(value, kind) and value.dtype == parameter.dtype:
        return
    what = (
        f"a {type(value).__name__} of {value.dtype}"
        if isinstance(value, ndarray | np.ndarray)
        else f"{value!r} ({type(value).__name__})"
    )
    raise InputError(
        f"argument {parameter.name} of kernel {kernel} is {what};"
        f" expected {expected} {parameter.dtype}, for {parameter.declaration}"
    )


def _check_overlaps(kernel: str, found: Mapping[tuple[int, int], Memory]) -> None:
    """Arrays are apart or the same; the same only where nobody was promised otherwise (`__restrict__`), or nobody writes."""
    ordered = sorted((memory for memory in found.values() if memory.array.nbytes), key=lambda memory: memory.range)
    for memory, following in pairwise(ordered):
        if following.range[0] < sum(memory.range):
            names = f"{memory.name} and {following.name}"
            raise InputError(f"arguments {names} of kernel {kernel} overlap in part; expected arrays that are apart, or the same")
    for memory in ordered:
        same = memory.parameters
        if len(same) > 1 and any(each.restrict for each in same) and not all(each.const for each in same):
            raise InputError(
                f"arguments {memory.name} of kernel {kernel} are one array; expected different ones, as __restrict__ promises"
            )

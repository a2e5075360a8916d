"""A file of kernels, compiled when a kernel of it is first launched; the interface is that of CuPy's RawModule and RawKernel."""

import re

from xception_np.emulator import native, source, toolchain
from xception_np.errors import InputError, is_whole

DYNAMIC_SHARED = 48 << 10  # bytes that a launch may have without asking
MOST_DYNAMIC_SHARED = 227 << 10  # that it may ask for, on sm_90; less on other GPUs
_DEFINE = re.compile(r"-D(\w+)(?:=(.*))?")
_STANDARD = re.compile(r"--?std=c\+\+\d\d")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b", re.MULTILINE)


class RawModule:
    """The kernels of a CUDA C source text.

    Parameters
    ----------
    code : str
        The text of a `.cu` file: kernels declared `extern "C" __global__`, nothing included.
    options : tuple of str
        Macros, as `-DREAL=float`.
    file : str
        A name for it, in findings.
    """

    def __init__(self, code: str, options: tuple[str, ...] = (), file: str = "kernel.cu"):
        self.code, self.file = code, file
        self._defines: dict[str, str] = {}
        if not isinstance(options, tuple):
            raise InputError(f"options is a {type(options).__name__}; expected a tuple, as CuPy does")
        for option in options:
            if define := _DEFINE.fullmatch(option):
                self._defines[define[1]] = define[2] if define[2] is not None else "1"
            elif not _STANDARD.fullmatch(option):
                raise InputError(f"option is {option!r}; expected a macro, as '-DREAL=float'")
        if include := _INCLUDE.search(source.without_comments(code)):
            line = code.count("\n", 0, include.start()) + 1
            raise InputError(f"{file}:{line} includes a file; expected none, since NVRTC has no headers")
        self._parameters = source.kernels(code, self._defines, file)
        self._text = source.with_shared_memory(code, file) + "".join(_entry(*each) for each in self._parameters.items())
        self._text += "".join(_most_threads(*each) for each in source.launch_bounds(code).items())
        self._libraries: dict[str, native.Library] = {}

    def get_function(self, name: str) -> "RawKernel":
        """A kernel by its name."""
        if name not in self._parameters:
            raise InputError(f"kernel is {name!r}; expected one that {self.file} has: {', '.join(self._parameters)}")
        return RawKernel(self, name, self._parameters[name])

    def library(self, mode: str) -> native.Library:
        """The kernels as machine code, for check mode or fast mode."""
        if mode not in self._libraries:
            defines = [f"{name}={value}" for name, value in self._defines.items()]
            self._libraries[mode] = native.load(toolchain.library(self._text, self.file, mode, defines))
        return self._libraries[mode]


class RawKernel:
    """One kernel; `kernel(grid, block, args, shared_mem=0)` launches it, as in CuPy (`launching.launch`)."""

    def __init__(self, module: RawModule, name: str, parameters: tuple[source.Parameter, ...]):
        self.module, self.name, self.parameters = module, name, parameters
        self._most_dynamic_shared = DYNAMIC_SHARED

    @property
    def max_dynamic_shared_size_bytes(self) -> int:
        """Bytes of dynamic shared memory that a launch may have; more than 48 KiB must be asked for here."""
        return self._most_dynamic_shared

    @max_dynamic_shared_size_bytes.setter
    def max_dynamic_shared_size_bytes(self, size: int) -> None:
        if not is_whole(size) or not 0 <= size <= MOST_DYNAMIC_SHARED:
            raise InputError(f"max_dynamic_shared_size_bytes is {size!r}; expected a number of bytes up to {MOST_DYNAMIC_SHARED}")
        self._most_dynamic_shared = int(size)

    def __call__(self, grid, block, args, *, shared_mem=0) -> None:
        """Launch it."""
        from xception_np.emulator.launching import launch

        launch(self, grid, block, args, shared_mem)


def _most_threads(name: str, bound: str) -> str:
    """A number for `Library.most_threads`, worked out by the compiler."""
    return f'\nextern "C" {{ __attribute__((visibility("default"))) unsigned emulator_most_threads_{name} = {bound}; }}\n'


def _entry(name: str, parameters: tuple[source.Parameter, ...]) -> str:
    """What the scheduler calls; the assertion holds our reading of the signature against the compiler's."""
    types = ", ".join(parameter.declaration for parameter in parameters)
    arguments = ", ".join(f"emulator::argument<{parameter.declaration}>({number})" for number, parameter in enumerate(parameters))
    return (
        f'\nextern "C" __attribute__((visibility("default"))) void emulator_entry_{name}() {{\n'
        f'    static_assert(std::is_same_v<decltype({name}), void({types})>, "parameters of {name}");\n'
        f"    {name}({arguments});\n}}\n"
    )

"""Reading of `.cu` texts: signatures, shared memory, and what is refused, with its line."""

import re

import numpy as np
import pytest

from xception_np.emulator import RawModule, source
from xception_np.errors import InputError


def test_signatures():
    text = """
    // __global__ void not_this(float* x)
    __device__ float helper(float x) { return x; }
    extern "C" __global__ void first(const REAL* __restrict__ x, REAL *y, const int n, unsigned char* flags, size_t k) {}
    extern "C"
    __global__ __launch_bounds__(128) void second(
        float4* x,   /* four, at once */
        unsigned long long seed) {}
    extern "C" __global__ void third() {}
    """
    first, second, third = source.kernels(text, {"REAL": "double"}, "a.cu").values()
    assert [parameter.declaration for parameter in first] == ["const double*", "double*", "const int", "unsigned char*", "size_t"]
    assert [parameter.name for parameter in first] == ["x", "y", "n", "flags", "k"]
    assert [parameter.dtype for parameter in first] == [np.float64, np.float64, np.int32, np.uint8, np.uint64]
    assert [(parameter.pointer, parameter.restrict) for parameter in first[:3]] == [(True, True), (True, False), (False, False)]
    assert [(parameter.declaration, parameter.dtype) for parameter in second] == [
        ("float4*", np.float32),
        ("unsigned long long", np.uint64),
    ]
    assert third == ()


def test_shared_memory_stays_on_its_lines():
    text = """void f() {
        __shared__ float a[8][8 + 1];  // __shared__ int b;
        __shared__ __align__(16) unsigned char
            c[4];
        __shared__ int d;
        extern __shared__ double e[];
    }
    """
    assert [line.rstrip() for line in source.with_shared_memory(text, "a.cu").split("\n")] == [
        "void f() {",
        "        EMULATOR_SHARED(alignof(float), float, a, [8][8 + 1]);",
        "        EMULATOR_SHARED(16, unsigned char, c, [4]);",
        "",
        "        EMULATOR_SHARED(alignof(int), int, d, );",
        "        EMULATOR_DYNAMIC_SHARED(double, e);",
        "    }",
        "",
    ]


KERNEL = 'extern "C" __global__ void k(float* x) {{ {} }}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__device__ float f() { return 0; }", 'a.cu has no kernel; expected at least one extern "C" __global__ void NAME(...)'),
        ("\n__global__ void k(float* x) {}", 'kernel k (a.cu:2) is not declared extern "C"'),
        (
            'extern "C" __global__ void k(struct S s) {}',
            "parameter s of kernel k (a.cu:1) is of type struct S; expected a number or",
        ),
        ('extern "C" __global__ void k(float** x) {}', "parameter x of kernel k (a.cu:1) is of type float**"),
        ('extern "C" __global__ void k(half* x) {}', "parameter x of kernel k (a.cu:1) is of type half*"),
        ('extern "C" __global__ void k(float4 x) {}', "parameter x of kernel k (a.cu:1) is of type float4"),
        (
            KERNEL.format("\n__shared__ float a[4], b[4];"),
            "a.cu:2 declares shared memory in a form that the emulator does not know",
        ),
        (KERNEL.format("__shared__ float a[1] = {0};"), "a.cu:1 declares shared memory in a form"),
        ("extern __shared__ float a[];\n" + KERNEL.format(""), "a.cu:1 declares shared memory outside of a function"),
        ("\n#include <cuda_fp16.h>\n" + KERNEL.format(""), "a.cu:2 includes a file; expected none, since NVRTC has no headers"),
    ],
)
def test_what_is_not_known_is_refused(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        RawModule(text, file="a.cu")


def test_options_and_names():
    with pytest.raises(InputError, match=re.escape("option is '--use_fast_math'; expected a macro, as '-DREAL=float'")):
        RawModule(KERNEL.format(""), ("--use_fast_math",))
    with pytest.raises(InputError, match="options is a list; expected a tuple, as CuPy does"):
        RawModule(KERNEL.format(""), ["-DREAL=float"])
    module = RawModule(KERNEL.format(""), ("-DREAL=float", "-DFLAG", "--std=c++17"))
    with pytest.raises(InputError, match=re.escape("kernel is 'j'; expected one that kernel.cu has: k")):
        module.get_function("j")


def test_where_a_kernel_s_body_is():
    text = """extern "C" __global__ void first(float* x);
extern "C" __global__ void
first(float* x)
{
    if (x) {  // }
        x[0] = '}' + "}"[0];
    }
    }
extern "C" __global__ void second(float* x) { x[0] = 1; }
extern "C" __global__ void third(float* x) {
"""
    assert source.body(text, "first") == (5, 8)
    assert source.body(text, "second") == (9, 9)
    assert source.body(text, "third") == (10, 10)  # as one half of an #if may look

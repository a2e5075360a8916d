"""The windowed convolutions against the reference for windows that nobody would think of, in tiles as tiny as they come."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xception_np import check, ops, threads, tiling
from xception_np.check.draw import Draw
from xception_np.errors import InputError
from xception_np.geometry import Geometry

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
pads = st.tuples(st.integers(0, 6), st.integers(0, 6))  # also more than the kernel, so that windows see nothing but padding
geometries = st.builds(Geometry, pairs, pairs, pairs, st.sampled_from(["same", "valid"]) | st.tuples(pads, pads))


def operands(operation, size, geometry, segments):
    draw = Draw(f"{operation} {size} {geometry}")
    x = draw.normal(*size, 4)
    if operation == "conv":
        return x, draw.normal(*geometry.kernel, 4, 3), geometry
    if operation == "grouped_conv":
        return x, draw.normal(*geometry.kernel, 4 // segments, 8), geometry, segments
    if operation == "depthwise_conv":
        return x, draw.normal(*geometry.kernel, 4, 2), geometry
    addend = draw.normal(size[0], *geometry.output_size(*size[1:]), 3)
    if operation == "conv_bias":
        return x, draw.normal(*geometry.kernel, 4, 3), draw.normal(3), geometry, "relu", addend
    weights = draw.normal(*geometry.kernel, 4, 1), draw.normal(4, 3)
    if operation == "separable_conv_bias":
        return x, *weights, draw.normal(3), geometry, "relu", "relu", addend
    if operation == "norm_separable_conv":
        return x, draw.normal(4), draw.normal(4), *weights, geometry
    return x, *weights, geometry, "spatial_first", "relu"


@pytest.mark.parametrize(
    ("operation", "segments"),
    [
        ("conv", None),
        ("grouped_conv", 1),
        ("grouped_conv", 2),
        ("depthwise_conv", None),
        ("separable_conv", None),
        ("norm_separable_conv", None),
        ("conv_bias", None),
        ("separable_conv_bias", None),
    ],
)
@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(size=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), geometry=geometries)
def test_like_the_reference(operation, segments, size, geometry):
    try:
        geometry.output_size(*size[1:])
    except InputError:
        assume(False)
    module, arguments = getattr(ops, operation), operands(operation, size, geometry, segments)
    passes = {}
    for implementation in ("reference", "cpu"):
        with pytest.MonkeyPatch.context() as patch, threads.use(2):
            patch.setattr(tiling, "LARGEST", 64)
            patch.setattr(tiling, "SMALLEST", 16)
            y, cache = module.forward(*arguments, implementation=implementation)
            passes[implementation] = y, *module.backward(Draw("dy").normal(*y.shape), cache, implementation=implementation)
    for actual, expected in zip(passes["cpu"], passes["reference"], strict=True):
        check.require_all([check.compare(1 + actual, 1 + expected, 1e-12, "like the reference")])  # windows may see nothing but 0
        assert np.isfinite(actual).all()

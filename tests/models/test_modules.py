"""The paper's Figures 1 to 4: that 2 and 3 are the same function, and where 3 and 4 lie on the spectrum."""

import numpy as np
import pytest

from xception_np.errors import InputError
from xception_np.layers import Step
from xception_np.models import modules
from xception_np.models.table import Norm


def kernels(chain):
    return {p.name: p.shape for p in chain.parameters}


@pytest.mark.parametrize("training", [Step(), Step(frozen=True), None], ids=["training", "frozen", "inference"])
@pytest.mark.parametrize("norm", [None, Norm(), Norm(scale=False)], ids=["plain", "batch norm", "without scale"])
@pytest.mark.parametrize(("towers", "width"), [(3, 4), (4, 1), (1, 5)])
def test_figure_2_is_figure_3(towers, width, norm, training):
    """Results, dx, and every parameter's gradient, tower after tower along the filters; moving statistics too."""
    two, before = modules.build(modules.figure_2(towers, width), channels=5, norm=norm, dtype=np.float64)
    three, _ = modules.build(modules.figure_3(towers, width), channels=5, norm=norm, seed=1, dtype=np.float64)
    random = np.random.default_rng(0)
    before.values[...] += 0.1 * random.standard_normal(before.values.size)
    before.moving[...] += random.uniform(size=before.moving.size)
    modules.join_towers(two, three)
    x, dy = random.standard_normal((2, 6, 5, 5)), random.standard_normal((2, 6, 5, towers * width))

    results = []
    for chain in (two, three):
        y, cache = chain.forward(x, training)
        results.append((y, chain.backward(dy, cache)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-12 * np.abs(one).max())
    branches = two.layers[0].branches
    for kind, array in (("parameters", "gradient"), ("moving", "value")):
        for whole, *parts in zip(getattr(three, kind), *(getattr(branch, kind) for branch in branches), strict=True):
            expected = np.concatenate([getattr(part, array) for part in parts], axis=-1)
            np.testing.assert_allclose(getattr(whole, array), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_figure_4_is_depthwise():
    chain, _ = modules.build(modules.figure_4(6), channels=4)
    assert kernels(chain) == {"module_conv1/kernel": (1, 1, 4, 6), "module_conv2/kernel": (3, 3, 1, 6)}


def test_the_modules_before():
    cases = {
        modules.mlpconv(8): (7, 8),
        modules.googlenet(4): (7, 16),
        modules.figure_1(4): (7, 16),
        modules.figure_2(3, 4): (7, 12),
        modules.figure_3(3, 4): (7, 12),
    }
    for words, (size, filters) in cases.items():
        chain, _ = modules.build(words, channels=5)
        x = np.ones((1, size, size, 5), np.float32)
        assert chain.forward(x)[0].shape == chain.output_shape(x.shape) == (1, size, size, filters)


def test_only_towers_that_fit_are_joined():
    two, _ = modules.build(modules.figure_2(3, 4), channels=5)
    three, _ = modules.build(modules.figure_3(3, 2), channels=5)
    with pytest.raises(InputError, match=r"module_conv1/kernel has shape \(1, 1, 5, 6\); expected \(1, 1, 5, 12\)"):
        modules.join_towers(two, three)
    four, _ = modules.build(modules.figure_3(4, 3), channels=5)  # whose 1x1 fits, and whose 3x3 does not
    before = four.parameters[0].value.copy()
    with pytest.raises(InputError, match="module_conv2/kernel has shape"):
        modules.join_towers(two, four)
    np.testing.assert_array_equal(four.parameters[0].value, before)
    normed, _ = modules.build(modules.figure_2(3, 4), channels=5, norm=Norm())
    with pytest.raises(InputError, match="joined has 2 arrays; expected as many as each tower, which have 10, 10, 10"):
        modules.join_towers(normed, four)

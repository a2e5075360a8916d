"""What the operations are to each other."""

import numpy as np
import pytest

from xception_np import arrays, check, implementations, ops
from xception_np.check.identities import IDENTITIES
from xception_np.errors import InputError
from xception_np.geometry import Geometry

every_implementation = pytest.mark.parametrize("implementation", implementations.ON_NUMPY)


@every_implementation
@pytest.mark.parametrize("operation", IDENTITIES)
def test_identities(operation, implementation):
    check.require_all(check.check_identities(operation, implementation))


@pytest.mark.parametrize("implementation", [*implementations.ON_NUMPY, "emulated", "emulated_naive"])
def test_the_weight_gradient_of_a_convolution_alone_is_that_of_its_backward_pass(implementation):
    draw = check.cases.Draw("weight gradient", np.float32)
    place = implementations.place(implementation)
    x, weight, dy = (arrays.moved(draw.normal(*shape), place) for shape in ((2, 5, 6, 3), (3, 3, 3, 4), (2, 3, 3, 4)))
    _, cache = ops.conv.forward(x, weight, Geometry(3, stride=2), implementation=implementation)
    _, wanted = ops.conv.backward(dy, cache, implementation=implementation)
    found = ops.conv.weight_gradient(dy, cache, implementation=implementation)
    np.testing.assert_array_equal(arrays.to_host(found), arrays.to_host(wanted))
    with pytest.raises(InputError, match="dy has shape"):
        ops.conv.weight_gradient(x, cache, implementation=implementation)


@every_implementation
def test_batch_norm_in_float32_far_from_zero(implementation):
    """A mean of 1000, summed in float32, is known to about 1e-3; squares of x, if they were summed, to 100 only."""
    draw = check.cases.Draw("far from zero", np.float32)
    x, gamma, beta = draw.normal(4, 30, 30, 3) + np.float32(1000), draw.normal(3), draw.normal(3)
    y, cache = ops.batch_norm.forward(x, gamma, beta, implementation=implementation)
    exact = x.astype(np.float64)
    exact_y, _ = ops.batch_norm.forward(exact, *(v.astype(np.float64) for v in (gamma, beta)), implementation="reference")
    check.compare(cache.variance, exact.var(axis=(0, 1, 2)).astype(np.float32), 1e-5, "variance").require()
    check.compare(y, exact_y.astype(np.float32), 1e-3, "y").require()


@every_implementation
def test_a_channel_of_one_number_has_no_variance(implementation):
    """Its mean is rounded when the sum is, by some 0.1 of 1000; the squares of what is left are no variance."""
    x = np.full((4, 64, 64, 2), (1000.1, -100.1), np.float32)
    _, cache = ops.batch_norm.forward(x, *np.ones((2, 2), np.float32), implementation=implementation)
    assert (abs(arrays.to_host(cache.variance)) < 1e-6).all()

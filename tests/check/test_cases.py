import numpy as np
import pytest

from xception_np import check, ops
from xception_np.check import cases
from xception_np.check.draw import Draw
from xception_np.errors import InputError


def test_names_are_unique():
    names = [str(case) for case in cases.every()]
    assert len(names) == len(set(names))


def test_a_case_is_found_by_its_name():
    case = check.find("conv", "stride 2, even size")
    assert case.arguments()[2].stride == (2, 2)
    with pytest.raises(InputError, match="case is 'stride 3'; expected one of '3x3', "):
        check.find("conv", "stride 3")


@pytest.mark.parametrize("case", cases.every(), ids=str)
def test_arguments_are_the_same_every_time_and_fresh(case):
    first, second = case.arguments(), case.arguments()
    for (name, _, one), (_, _, other) in zip(case.differentiable(first), case.differentiable(second), strict=True):
        assert np.array_equal(one, other), name
        assert one is not other


def test_float32_arguments_are_the_float64_ones_rounded():
    exact, rounded = check.find("conv", "3x3").arguments(), check.find("conv", "3x3").arguments(np.float32)
    assert rounded[0].dtype == np.float32
    assert np.array_equal(exact[0].astype(np.float32), rounded[0])


def test_draw():
    draw = Draw("test")
    assert not np.array_equal(draw.normal(3), draw.normal(3))
    assert np.array_equal(Draw("a").normal(4), Draw("a").normal(4))
    assert not np.array_equal(Draw("a").normal(4), Draw("b").normal(4))
    assert np.abs(draw.off_zero(1000)).min() >= 0.1
    assert np.diff(np.sort(draw.distinct(10, 10).ravel())) == pytest.approx(0.1)
    assert set(draw.labels(200, 3)) == {0, 1, 2}
    assert draw.labels(5, 3).dtype == np.int64


@pytest.mark.parametrize("case", [case for case in cases.of("separable_conv") if "between" in case.name], ids=str)
def test_the_middle_of_a_separable_convolution_keeps_off_the_kink(case):
    """Finite differences move the middle by some 1e-4; a kink nearer than that would be stepped over."""
    if case.large:
        return
    x, depthwise_weight, pointwise_weight, geometry, order, *_ = case.arguments()
    if order == "spatial_first":
        middle, _ = ops.depthwise_conv.forward(x, depthwise_weight, geometry)
    else:
        middle, _ = ops.pointwise_conv.forward(x, pointwise_weight)
    assert np.abs(middle).min() > 1e-3


@pytest.mark.parametrize("case", [case for case in cases.of("bias") if "relu" in case.name and not case.large], ids=str)
def test_biased_numbers_keep_off_the_kink_and_are_not_all_below(case):
    x, bias, _ = case.arguments()
    assert np.abs(x + bias).min() > 1e-3
    assert (x + bias).max() > 0


def test_check_operation_and_case():
    comparisons = check.check_operation("relu", "cpu")
    check.require_all(comparisons)
    assert [c.what for c in check.check_case(check.find("relu", "1 axis"), "cpu")] == [
        "relu.cpu, 1 axis: <x> = <y> by the adjoint",
        "relu.cpu, 1 axis: y like reference",
        "relu.cpu, 1 axis: dx like reference",
        "relu.cpu, 1 axis: dx like reference, from the reference's cache",
        "relu.cpu, 1 axis: dx like reference, by the reference from this cache",
        "relu.cpu, 1 axis: NaN in x",
        "relu.cpu, 1 axis: NaN in dy",
        "relu.cpu, 1 axis: dx by finite differences",
    ]
    assert len(comparisons) > 8


def test_a_misspelt_operation_passes_no_check():
    for function in (check.check_operation, check.check_identities, lambda *names: list(check.check_anchors(*names))):
        with pytest.raises(InputError, match="operation is 'depthwise'; expected one of"):
            function("depthwise", "cpu")
    with pytest.raises(AssertionError, match="nothing was compared"):
        check.require_all([])

import pytest

from benchmarks import subjects
from benchmarks.command import STANDARD
from benchmarks.contenders import blas, choose
from xception_np import cost, models
from xception_np.errors import InputError


def test_a_network_has_its_own_size_by_default():
    (network,) = subjects.parse("training/xception/8")
    assert network == ("training", "xception", 8, 299)
    assert str(network) == "training/xception/8/299"
    assert subjects.parse(str(network)) == [network]


def test_a_spectrum_is_every_divisor():
    found = subjects.parse("spectrum/12/7/2")
    assert [convolution.segments for convolution in found] == [1, 2, 3, 4, 6, 12]
    assert [subjects.parse(str(convolution)) for convolution in found] == [[convolution] for convolution in found]


def test_all_that_is_measured_by_default_can_be():
    assert all(subjects.parse(name) for name in STANDARD)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "subject is ''; expected for example training/xception_small/128"),
        ("training/xception", "subject is 'training/xception'"),
        ("training/nothing/8", "model is 'nothing'"),
        ("training/xception/-1", "with the number '-1'"),
        ("inference/xception/1/0", "with the number '0'"),
        ("convolution/8/5/1/3", "segments is 3"),
        ("spectrum/8/99999/1", "with the number '99999'"),
    ],
)
def test_what_is_no_subject(text, message):
    with pytest.raises(InputError, match=message):
        subjects.parse(text)


def test_who_is_not_known():
    with pytest.raises(InputError, match=r"against is 'jax'; expected some of blas, torch, "):
        choose(["jax"])
    assert choose(["blas"]) == ["xception_np", "blas"]


@pytest.mark.parametrize("name", ["xception", "inception_v3", "vgg16", "xception_small:segments=4"])
def test_the_ceiling_has_every_product_of_the_network(name):
    """All multiply-adds but those of depthwise convolutions, which are no matrix products."""
    table = models.find(name)
    lines = cost.count(models.outline(table), table.input_shape)
    products = sum(p * k * n for p, k, n in blas.products_of(models.outline(table), table.input_shape))
    assert products == cost.total(line for line in lines if line.kind != "depthwise").macs

"""Optimizers: arithmetic that can be followed on paper."""

import numpy as np
import pytest

from xception_np import models
from xception_np.errors import InputError
from xception_np.layers import Buffers
from xception_np.training import SGD, Muon, RMSprop, Settings, optimizers
from xception_np.training.regularisation import Matrix, Part, clip, decay_vector, global_norm, matrices_and_rest


def buffers():
    return Buffers(np.array([1.0, 2.0]), np.array([10.0, -1.0]), np.empty(0))


def test_sgd_by_hand():
    found = buffers()
    optimizer = SGD(found, momentum=0.5)
    optimizer.step(0.1)  # velocity 10, -1
    np.testing.assert_allclose(found.values, [0.0, 2.1], atol=1e-15)  # 1 - 0.1 * 10 is a rounding of 1 away from 0
    found.gradients[:] = [2.0, 0.0]
    optimizer.step(0.1)  # velocity 0.5 * 10 + 2 = 7, -0.5
    np.testing.assert_allclose(found.values, [-0.7, 2.15])
    np.testing.assert_array_equal(found.gradients, [2.0, 0.0])


def test_nesterov_by_hand():
    found = buffers()
    optimizer = SGD(found, momentum=0.5, nesterov=True)
    optimizer.step(0.1)  # velocity 10, -1; move 10 + 5, -1 - 0.5
    np.testing.assert_allclose(found.values, [-0.5, 2.15])
    found.gradients[:] = [2.0, 0.0]
    optimizer.step(0.1)  # velocity 7, -0.5; move 2 + 3.5, -0.25
    np.testing.assert_allclose(found.values, [-1.05, 2.175])


def test_weight_decay_by_hand():
    found = buffers()
    SGD(found, momentum=0.0, decay=np.array([0.5, 0.0])).step(0.1)  # slope 10 + 0.5 * 1, -1
    np.testing.assert_allclose(found.values, [-0.05, 2.1])


def test_rmsprop_by_hand():
    found = buffers()
    optimizer = RMSprop(found, momentum=0.5, forgetting=0.75, epsilon=1.0, decay=2.0)
    found.gradients[:] = [4.0, -8.0]
    optimizer.step(0.1)  # slope 6, -4; mean square 9, 4; velocity 6 / (3 + 1) = 1.5, -4 / (2 + 1)
    np.testing.assert_allclose(found.values, [0.85, 2 + 0.4 / 3])
    np.testing.assert_allclose(optimizer.mean_square, [9.0, 4.0])
    found.gradients[:] = -2.0 * found.values  # slope 0; mean square 6.75, 3; velocity 0.75, -2/3
    optimizer.step(0.1)
    np.testing.assert_allclose(found.values, [0.775, 2 + 0.6 / 3])


def test_muon_by_hand():
    """Two numbers are a matrix of one row, which turns; two others move as with SGD. The share of the rate is the angle's, too."""
    found = Buffers(np.array([3.0, 4.0, 1.0, 2.0]), np.array([8.0, -6.0, 10.0, -1.0]), np.empty(0))
    matrix = Matrix(Part(slice(0, 2), 0.5), (1, 2))
    optimizer = Muon(found, [matrix], [Part(slice(2, 4), 1.0)], turn=15.0, momentum=0.5, nesterov=False, decay=0.5)
    optimizer.step(0.1)  # angle 0.5 * 0.1 * 15 = 0.75; slopes 10 + 0.5 * 1, -1 + 0.5 * 2
    np.testing.assert_allclose(found.values, [0.0, 5.0, -0.05, 2.0], atol=1e-14)
    np.testing.assert_allclose(optimizer.state["velocity"], [8.0, -6.0, 10.5, 0.0])


def a_muon(found, decay):
    return Muon(found, [Matrix(Part(slice(1, 5), 1.0), (2, 2))], [Part(slice(0, 1), 1.0)], turn=1.0, decay=decay)


@pytest.mark.parametrize("kind", [SGD, RMSprop, a_muon])
def test_an_optimizer_that_takes_up_anothers_state_goes_on_as_it(kind):
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((6, 5))
    one = Buffers(np.ones(5), np.zeros(5), np.empty(0))
    optimizer = kind(one, decay=0.1)
    for k, gradient in enumerate(gradients):
        if k == 3:
            other = Buffers(one.values.copy(), np.zeros(5), np.empty(0))
            second = kind(other, decay=0.1)
            for name, array in optimizer.state.items():
                second.state[name][...] = array
        one.gradients[...] = gradient
        optimizer.step(0.1)
    for gradient in gradients[3:]:
        other.gradients[...] = gradient
        second.step(0.1)
    np.testing.assert_array_equal(one.values, other.values)


def test_what_turns():
    """Every number of a model is in one matrix or moves; matrices are what regular and pointwise convolutions multiply by."""
    model = models.build("xception_small", 10)
    matrices, rest = matrices_and_rest(model.parameters, 0.5)
    counted = np.zeros(model.buffers.values.size, int)
    for where, _ in [*(matrix.part for matrix in matrices), *rest]:
        counted[where] += 1
    assert (counted == 1).all()
    assert {part.share for part in rest} == {0.5, 1.0}
    expected = [
        (p.value.reshape(-1, p.shape[-1]))
        for p in model.parameters
        if p.name.endswith("/pointwise_kernel") or (p.name.endswith("/kernel") and not p.name.startswith("predictions/"))
    ]
    assert len(expected) == 24
    for matrix, value in zip(matrices, expected, strict=True):
        assert matrix.part.share == 0.5
        np.testing.assert_array_equal(matrix.of(model.buffers.values), value)
    none, others = matrices_and_rest(model.parameters, 0.0)
    assert none == []
    assert [part.share for part in others[-2:]] == [0.0, 1.0]


@pytest.mark.parametrize(("segments", "turns"), [(1, True), (4, False), (32, False)])
def test_a_matrix_for_each_group_does_not_turn_as_one(segments, turns):
    model = models.build(f"xception_small:segments={segments}", 10)
    matrices, _ = matrices_and_rest(model.parameters, 1.0)
    starts = {matrix.part.where.start for matrix in matrices}
    ends = np.cumsum([0, *(parameter.size for parameter in model.parameters)])
    spatial = [start for start, p in zip(ends, model.parameters, strict=False) if p.name == "block2_sepconv1_spatial/kernel"]
    assert len(spatial) == 1
    assert (spatial[0] in starts) == turns


@pytest.mark.parametrize("depthwise", [True, False])
def test_what_decays(depthwise):
    model = models.build("xception_small", 10)
    vector = decay_vector(model.parameters, 0.25, depthwise)
    assert vector.dtype == np.float32
    offset = 0
    kinds = set()
    for parameter in model.parameters:
        kind = parameter.name.rpartition("/")[2]
        decays = kind in ("kernel", "pointwise_kernel") or (kind == "depthwise_kernel" and depthwise)
        assert (vector[offset : offset + parameter.size] == (0.25 if decays else 0)).all(), parameter.name
        offset += parameter.size
        kinds.add(kind)
    assert offset == vector.size
    assert kinds == {"kernel", "depthwise_kernel", "pointwise_kernel", "gamma", "beta", "bias"}


def test_clipping_by_hand():
    gradients = np.array([3.0, 0.0, -4.0])
    norm = global_norm(gradients)
    assert norm == 5
    clip(gradients, norm, 10)
    np.testing.assert_array_equal(gradients, [3, 0, -4])
    clip(gradients, norm, 1)
    np.testing.assert_allclose(gradients, [0.6, 0, -0.8])


def test_the_norm_counts_every_number_and_does_not_overflow():
    assert global_norm(np.ones(200_000, np.float32)) == pytest.approx(200_000**0.5)
    assert global_norm(np.full(4, 1e30, np.float32)) == pytest.approx(2e30)
    assert not np.isfinite(global_norm(np.array([1.0, np.inf], np.float32)))
    assert np.isnan(global_norm(np.array([1.0, np.nan], np.float32)))


def test_settings_choose_the_optimizer():
    model = models.build("xception_small", 2)
    sgd = optimizers.of(Settings(momentum=0.8, nesterov=True, weight_decay=0.5), model)
    assert isinstance(sgd, SGD) and sgd.momentum == 0.8 and sgd.nesterov and sgd.decay.max() == 0.5
    rmsprop = optimizers.of(Settings(optimizer="rmsprop", momentum=0.7, weight_decay=0.5), model)
    assert isinstance(rmsprop, RMSprop) and rmsprop.momentum == 0.7 and rmsprop.decay.max() == 0.5
    muon = optimizers.of(Settings(optimizer="muon", momentum=0.6, rate=0.5, angle=0.2, nesterov=True), model)
    assert isinstance(muon, Muon) and (muon.moved.momentum, muon.moved.nesterov, muon.turn) == (0.6, True, 0.4)


def test_muon_needs_batch_normalisation():
    model = models.from_table(models.find("xception_small")._replace(name="bare", norm=None, bias=True), 2)
    with pytest.raises(InputError, match="optimizer is 'muon'; expected sgd or rmsprop for bare, which has no batch normalisation"):
        optimizers.of(Settings(optimizer="muon"), model)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(buffers(), momentum=1.0), r"momentum is 1\.0"),
        (lambda: RMSprop(buffers(), forgetting=-0.1), r"forgetting is -0\.1"),
        (lambda: RMSprop(buffers(), epsilon=0.0), r"epsilon is 0\.0"),
    ],
)
def test_wrong_numbers(make, message):
    with pytest.raises(InputError, match=message):
        make()

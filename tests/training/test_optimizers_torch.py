"""Optimizers against PyTorch's, step by step."""

import pytest

pytest.importorskip("torch", reason="parity with PyTorch needs torch: pip install 'xception-np[parity]'")

import numpy as np
import torch

from xception_np import updates
from xception_np.layers import Buffers
from xception_np.training import SGD, RMSprop
from xception_np.training.regularisation import clip, global_norm

pytestmark = pytest.mark.parity
STEPS, SIZE = 20, 50


def compare(make_ours, make_theirs, limit=None):
    rng = np.random.default_rng(7)
    start = rng.standard_normal(SIZE)
    ours = Buffers(start.copy(), np.zeros(SIZE), np.empty(0))
    theirs = torch.nn.Parameter(torch.tensor(start.copy()))
    mine, other = make_ours(ours), make_theirs([theirs])
    for step in range(STEPS):
        gradient = rng.standard_normal(SIZE)
        rate = 0.1 / (1 + step)
        ours.gradients[...], theirs.grad = gradient, torch.tensor(gradient)
        if limit:
            clip(ours.gradients, global_norm(ours.gradients), limit)
            torch.nn.utils.clip_grad_norm_([theirs], limit)
        mine.step(rate)
        other.param_groups[0]["lr"] = rate
        other.step()
        # 20 steps of a handful of operations on numbers of size 1, each rounded to 1e-16; torch adds 1e-6 to the norm it clips by.
        np.testing.assert_allclose(ours.values, theirs.detach().numpy(), rtol=0, atol=1e-5 if limit else 1e-12)


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_sgd(momentum, nesterov, decay):
    compare(
        lambda buffers: SGD(buffers, momentum, nesterov, decay),
        lambda parameters: torch.optim.SGD(parameters, 0.1, momentum, nesterov=nesterov, weight_decay=decay),
    )


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_rmsprop(momentum, decay):
    compare(
        lambda buffers: RMSprop(buffers, momentum, forgetting=0.95, epsilon=1e-3, decay=decay),
        lambda parameters: torch.optim.RMSprop(parameters, 0.1, alpha=0.95, eps=1e-3, momentum=momentum, weight_decay=decay),
    )


@pytest.mark.parametrize("shape", [(12, 12), (30, 8), (8, 30)])
@pytest.mark.parametrize("nesterov", [False, True])
def test_muon(shape, nesterov):
    """The directions of the steps; torch finds them in bfloat16, whose numbers are 0.4% apart, three times over."""
    rng = np.random.default_rng(7)
    gradients = rng.standard_normal((4, *shape))
    theirs = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))
    other = torch.optim.Muon([theirs], 1.0, weight_decay=0.0, momentum=0.8, nesterov=nesterov, ns_steps=updates.muon.ROUNDS)
    velocity = np.zeros(shape)
    for gradient in gradients:
        before = theirs.detach().numpy().copy()
        theirs.grad = torch.tensor(gradient)
        other.step()
        right = before - theirs.detach().numpy()
        start = rng.standard_normal(shape)
        start -= np.vdot(start, right) / np.vdot(right, right) * right  # at right angles to the step, which then shows in it whole
        value = start.copy()
        updates.muon.step([value], [velocity], [gradient], 0.5, 0.8, nesterov)
        step = start - value * np.vdot(start, start) / np.vdot(start, value)
        np.testing.assert_allclose(step / np.linalg.norm(step), right / np.linalg.norm(right), atol=0.005)


def test_clipping():
    compare(lambda buffers: SGD(buffers, 0.9), lambda parameters: torch.optim.SGD(parameters, 0.1, 0.9), limit=3.0)

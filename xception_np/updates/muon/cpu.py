"""Muon on the CPU: a thread a matrix, the largest first, each with BLAS for its products."""

from xception_np import threads
from xception_np.updates.muon import reference


def step(values, velocities, gradients, angle, momentum, nesterov):
    matrices = sorted(zip(values, velocities, gradients, strict=True), key=lambda matrix: -matrix[0].size)
    threads.for_tiles(lambda matrix: reference.turn(*matrix, angle, momentum, nesterov), matrices)

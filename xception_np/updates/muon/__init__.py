"""Muon: momentum whose directions all count alike, for matrices whose length means nothing.

    velocity  = momentum * velocity + gradient
    slope     = velocity                                      or, with Nesterov's momentum,
    slope     = gradient + momentum * velocity
    direction = orthogonal(slope)                             U V', where slope = U S V' is its singular value decomposition
    value     = |value| * unit( unit(value) - angle * unit(direction) )

    value, velocity, gradient, slope, direction (rows, columns)    unit(x) = x / |x|, |x| the root of the sum of squares

The gradient of a matrix is a sum of few directions that are long and many that are short: those that inputs share, such as a mean,
drown those that tell the classes apart. With all singular values 1 a step goes equally far in every one of them.

Behind batch normalisation, the length of a matrix changes nothing that the network computes, so it stays what it was, and a step is
a turn. The gradient is at right angles to the value there, and the direction nearly so: the matrix turns by arctan(angle), which is
0.0997 radians for an angle of 0.1.

The orthogonal matrix is found without a decomposition, with products of matrices only. x -> a x + b x x'x + c x (x'x)^2 keeps U and
V, and maps each singular value s to a s + b s^3 + c s^5. From |x| = 1, so that none is above 1, three times bring all from 0.017 on
to between 0.65 and 1.21, which is close enough; smaller ones grow by a in each.

Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), for the orthogonal direction and the
coefficients; that of convolutions kh * kw * C rows by F columns, and matrices of constant length, from the same authors' CIFAR-10
speed runs.
"""

from collections.abc import Sequence

import numpy as np

from xception_np import implementations
from xception_np.errors import InputError
from xception_np.ops import spec

COEFFICIENTS = 3.4445, -4.7750, 2.0315  # a, b, c
ROUNDS = 3
TINY = 1e-18  # what a length is at least: of what is shorter, float32 has no squares, and its direction is lost in rounding


def step(
    values: Sequence[np.ndarray],
    velocities: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],
    angle: float,
    momentum: float,
    nesterov: bool,
    *,
    implementation=None,
) -> None:
    """Turn matrices, and move their velocities, by their gradients.

    Parameters
    ----------
    values, velocities : sequences of (rows, columns) arrays, float32 or float64
        Written to. Of any shapes, but for each matrix the same.
    gradients : sequence of (rows, columns) arrays
    angle : float
        0 to 1; radians where it is small.
    momentum : float
    nesterov : bool

    Raises
    ------
    InputError
        If shapes, dtypes or memory layout do not fit.
    """
    if not len(values) == len(velocities) == len(gradients):
        raise InputError(
            f"velocities and gradients are {len(velocities)} and {len(gradients)} matrices; expected {len(values)}, as of values"
        )
    for value, velocity, gradient in zip(values, velocities, gradients, strict=True):
        spec.shapes(value=(value, "rows columns"))
        spec.alike(value=value, velocity=velocity, gradient=gradient)
    module = implementations.load(__name__, implementation, values=list(values))
    module.step(values, velocities, gradients, angle, momentum, nesterov)

"""What training does to its vectors, in NumPy."""

import numpy as np


def fill(y, value):
    y[...] = value


def add(y, x):
    y += x


def scale(y, factor):
    y *= factor


def sum_of_squares(x):
    return float(np.square(x, dtype=np.float64).sum())

"""Xception from scratch, in NumPy and Numba: every forward and every backward pass written out.

- `ops`: operations, forward and backward, each in a folder of its own
- `layers`, `models`: what holds parameters, and networks as tables
- `cost`: networks counted, their time predicted and measured
- `data`, `training`: pictures, batches, the training loop
- `check`: finite differences, adjoints and comparisons, for tests and for you
- `show`: pictures
- `geometry`, `threads`, `arrays`, `random`, `implementations`: what all of them stand on
"""

__version__ = "0.1.0"

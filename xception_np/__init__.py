"""Xception from scratch, in NumPy, Numba and CUDA: every forward and every backward pass written out.

- `ops`: operations, forward and backward, each in a folder of its own; `updates`: what writes to vectors in place
- `layers`, `models`: what holds parameters, and networks as tables
- `weights`: files of Keras and timm, in and out
- `cost`: networks counted, their time predicted and measured
- `data`, `training`: pictures, batches, the training loop
- `check`: finite differences, adjoints and comparisons, for tests and for you
- `emulator`: CUDA kernels without a GPU
- `show`: pictures; `exercises`: what the notebooks' exercises are checked by
- `geometry`, `threads`, `tiling`, `arrays`, `kernels`, `random`, `implementations`: what all of them stand on
"""

__version__ = "0.1.0"

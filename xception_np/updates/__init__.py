"""What changes vectors in place: an optimizer's step, averages that follow, sums of gradients.

Operations (`ops`) never write to their arguments; these do, to their first ones, and have no backward pass. Otherwise they are
built alike: a folder each, its formula and checks in `__init__.py`, then `reference.py` in NumPy, `cpu.py` on all cores, `gpu.py`
with CUDA kernels; the arrays say where they run. They are of one dtype and in one place, and of one shape, but for the matrices of
`muon`.
"""

from xception_np.updates import average, muon, rmsprop, sgd, vector

__all__ = ["average", "muon", "rmsprop", "sgd", "vector"]

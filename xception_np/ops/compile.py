"""How the loops of the `cpu` implementation are compiled: once, for all of them.

- `nogil`: a compiled function lets other Python threads run, so the thread pool can call it on many tiles at a time.
- `cache`: the machine code is kept on disk. Numba looks for changes in the function's own file only, so every
  compiled function calls no other file's.
- `fastmath` without `nnan` and `ninf`: sums may be reordered and vectorised, but NaN and infinity survive.
- `error_model="numpy"`: no test for division by zero inside loops.
"""

import numba

compiled = numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"}, error_model="numpy")

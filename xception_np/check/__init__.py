"""How we know that the operations are right: checks for tests, notebooks and readers who changed a backward pass.

    from xception_np import check
    for comparison in check.check_operation("conv", "cpu"):
        print(comparison)

- `compare`: two arrays, and how much of the allowed error they used.
- `finite_differences`, `adjoint`, `directional_derivative`, `compare_along`: what a gradient must be, whatever computed it.
- `cases`: the awkward shapes and settings of every operation; `anchors`: numbers worked out by hand; `identities`: what the
  operations are to each other; `operations`: all that follows from the cases.
- `mutations`: the checks are checked.
"""

from xception_np.check.anchors import check_anchors
from xception_np.check.cases import Case, find
from xception_np.check.comparison import Comparison, compare, require_all
from xception_np.check.gradients import adjoint, compare_along, directional_derivative, finite_differences
from xception_np.check.identities import check_identities
from xception_np.check.operations import check_adjoint, check_case, check_finite_differences, check_operation

__all__ = [
    "Case",
    "Comparison",
    "adjoint",
    "check_adjoint",
    "check_anchors",
    "check_case",
    "check_finite_differences",
    "check_identities",
    "check_operation",
    "compare",
    "compare_along",
    "directional_derivative",
    "find",
    "finite_differences",
    "require_all",
]

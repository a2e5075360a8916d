"""One configuration, computed by us and by PyTorch."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np
from configurations import Configuration

from benchmarks import torch_operations
from xception_np.check.comparison import Comparison, compare
from xception_np.check.draw import Draw
from xception_np.check.operations import as_list


def comparisons(configuration: Configuration, implementation: str, budget: float) -> Iterator[Comparison]:
    """The result, and the gradient of every input for a random dy, in float64."""
    operation, _, arguments = configuration
    module = import_module(f"xception_np.ops.{operation}")
    y, cache = module.forward(*arguments, implementation=implementation)
    dy = Draw(f"{configuration} dy").normal(*np.shape(y))
    dy = dy if dy.ndim else float(dy)
    gradients = as_list(module.backward(dy, cache, implementation=implementation))

    torch_y, torch_gradients = torch_operations.passes(operation, arguments, dy)
    label = f"{implementation}, {configuration}"
    yield compare(y, torch_y, budget, f"{label}: y like PyTorch")
    for number, (gradient, torch_gradient) in enumerate(zip(gradients, torch_gradients, strict=True)):
        yield compare(gradient, torch_gradient, budget, f"{label}: gradient {number} like PyTorch")

"""timm, whatever builds of PyTorch and torchvision there are.

timm imports torchvision, whose compiled part does not load beside a PyTorch without CUDA if it was built for one with it. Nothing
of that part is used here, but torchvision describes two of its operations to PyTorch, which must know them by then.
"""

import warnings
from importlib import import_module

import torch

_SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

with warnings.catch_warnings():  # of these libraries about each other
    warnings.simplefilter("ignore")
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name, schema in _SCHEMAS.items():
            torch.library.define(name, schema)
    import timm

timm_xception = import_module("timm.models.xception")  # `timm.models.xception` itself is a function

__all__ = ["timm", "timm_xception"]

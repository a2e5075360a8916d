"""The twin of a network in PyTorch, read from the same table, and the weights of ours for it.

    twin = TorchTwin(model.table, model.classes).to(memory_format=torch.channels_last)
    copy_weights(model, twin)
    logits = twin(x)                        x (N, H, W, 3), as our models take it

Written as a PyTorch user who cares for speed would: no copies for borders, and ReLU in place where nothing else reads its input.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from xception_np.layers import Parameter
from xception_np.models import Model
from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep, Table
from xception_np.ops.batch_norm import EPSILON


class TorchTwin(nn.Module):
    """A table's network. Its parameters come in the order of ours."""

    def __init__(self, table: Table, classes: int):
        super().__init__()
        modules: list[nn.Module] = []
        channels = 3
        for module in table.modules:
            twin, channels = _module(module, channels, table.momentum)
            modules.append(twin)
        self.body = nn.Sequential(*modules)
        self.predictions = nn.Linear(channels, classes)

    def forward(self, x):
        """Logits (N, classes) of pictures (N, H, W, 3)."""
        x = self.body(x.permute(0, 3, 1, 2))
        return self.predictions(x.mean(dim=(2, 3)))


class ResidualTwin(nn.Module):
    """y = main(x) + shortcut(x)."""

    def __init__(self, main: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        """The sum of both paths."""
        return self.main(x) + self.shortcut(x)


class SamePool(nn.Module):
    """Max pooling 3x3 with stride 2 and TensorFlow's padding: 1 after an even axis, 1 on both sides of an odd one.

    `ceil_mode` lets the last window hang over the edge, which is the pad after.
    """

    def forward(self, x):
        """Half the size, rounded up."""
        return F.max_pool2d(x, 3, 2, padding=(x.shape[2] % 2, x.shape[3] % 2), ceil_mode=True)


def copy_weights(model: Model, twin: TorchTwin) -> None:
    """Give the twin our parameters and moving statistics."""
    norms = [module for module in twin.modules() if isinstance(module, nn.BatchNorm2d)]
    moving = [statistic for norm in norms for statistic in (norm.running_mean, norm.running_var)]
    with torch.no_grad():
        for parameter, tensor in zip(model.parameters + model.moving, [*twin.parameters(), *moving], strict=True):
            value = torch.tensor(in_torch_layout(parameter, parameter.value))
            if value.shape != tensor.shape:
                raise ValueError(f"{parameter.name} has shape {tuple(value.shape)}; expected {tuple(tensor.shape)}")
            tensor.copy_(value)


def in_torch_layout(parameter: Parameter, array: np.ndarray) -> np.ndarray:
    """A parameter's value or gradient with its axes as PyTorch has them: filters, channels, rows, columns."""
    match parameter.name.split("/")[-1], array.ndim:
        case "kernel", 4:  # (kh, kw, C, F)
            return array.transpose(3, 2, 0, 1)
        case "depthwise_kernel", 4:  # (kh, kw, C, 1)
            return array.transpose(2, 3, 0, 1)
        case "pointwise_kernel", 2:  # (C, F)
            return array.T[:, :, None, None]
        case "kernel", 2:  # (C, F) of the last layer
            return array.T
    return array


def _module(module: Plain | Residual, channels: int, momentum: float) -> tuple[nn.Module, int]:
    if isinstance(module, Plain):
        return _chain(module.rows, channels, momentum)
    main, out_channels = _chain(module.main, channels, momentum)
    shortcut, _ = _chain(module.shortcut, channels, momentum)
    return ResidualTwin(main, shortcut), out_channels


def _chain(rows: tuple, channels: int, momentum: float) -> tuple[nn.Sequential, int]:
    chain: list[nn.Module] = []
    for row in rows:
        match row:
            case Conv(filters, kernel, stride, padding):
                pad = _padding(kernel, stride, padding)
                chain.append(nn.Conv2d(channels, filters, kernel, stride, pad, bias=False))
            case Sep(filters):
                chain.append(nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False))
                chain.append(nn.Conv2d(channels, filters, 1, bias=False))
            case Relu():
                chain.append(nn.ReLU(inplace=bool(chain)))  # the first in a chain shares its input with the shortcut
            case Pool():
                chain.append(SamePool())
        if isinstance(row, Conv | Sep):
            channels = row.filters
            chain.append(nn.BatchNorm2d(channels, EPSILON, momentum=1 - momentum))  # theirs is the part that is new
    return nn.Sequential(*chain), channels


def _padding(kernel: int, stride: int, padding: str) -> int:
    """One number for all four sides, where there is one."""
    if padding == "valid" or kernel == 1:
        return 0
    if stride == 1 and kernel % 2 == 1:
        return kernel // 2
    raise ValueError(f"kernel is {kernel} with stride {stride} and padding {padding!r}; expected equal padding on all sides")

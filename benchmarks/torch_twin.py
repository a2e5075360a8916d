"""The twin of a network in PyTorch, read from the same table, and the weights of ours for it.

    twin = TorchTwin(model.table, model.classes).to(memory_format=torch.channels_last)
    copy_weights(model, twin)
    logits = twin(x)                        x (N, H, W, 3), as our models take it

Written as a PyTorch user who cares for speed would: no copies for borders, and ReLU in place where nothing else reads its input.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from xception_np.layers import Chain, Parameter
from xception_np.models import Model, layers_of
from xception_np.models.table import (
    Conv,
    Flatten,
    Full,
    GlobalPool,
    Mean,
    Plain,
    Pool,
    Relu,
    Residual,
    Sep,
    Table,
    Towers,
)


class TorchTwin(nn.Module):
    """A table's network. Its parameters come in the order of ours."""

    def __init__(self, table: Table, classes: int):
        super().__init__()
        modules: list[nn.Module] = []
        channels = 3
        for module in table.modules:
            twin, channels = _module(module, channels, table)
            modules.append(twin)
        self.body = nn.Sequential(*modules)
        ours = Chain(table.name, layers_of(table, classes)[: len(modules)])
        self.head = nn.Sequential(*_head(table, ours.output_shape(table.input_shape), classes))

    def forward(self, x):
        """Logits (N, classes) of pictures (N, H, W, 3)."""
        return self.head(self.body(x.permute(0, 3, 1, 2)))


class ResidualTwin(nn.Module):
    """y = main(x) + shortcut(x)."""

    def __init__(self, main: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        """The sum of both paths."""
        return self.main(x) + self.shortcut(x)


class TowersTwin(nn.Module):
    """y = towers side by side along the channels."""

    def __init__(self, towers: list[nn.Module]):
        super().__init__()
        self.towers = nn.ModuleList(towers)

    def forward(self, x):
        """The paths put together."""
        return torch.cat([tower(x) for tower in self.towers], dim=1)


class SamePool(nn.Module):
    """Max pooling with stride 2 and TensorFlow's padding: for 3x3, 1 after an even axis, 1 on both sides of an odd one.

    `ceil_mode` lets the last window hang over the edge, which is the pad after.
    """

    def __init__(self, kernel: int):
        super().__init__()
        self.kernel = kernel

    def forward(self, x):
        """Half the size, rounded up."""
        padding = [max(0, self.kernel - 2 + size % 2) // 2 for size in x.shape[2:]]
        return F.max_pool2d(x, self.kernel, 2, padding=padding, ceil_mode=True)


class FlattenPixels(nn.Module):
    """The pixels of a channel are one another's neighbours in PyTorch, the channels of a pixel in ours."""

    def forward(self, x):
        """(N, C, H, W) to (N, H*W*C)."""
        return x.permute(0, 2, 3, 1).flatten(1)


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


def fold(twin: TorchTwin) -> None:
    """Take every batch normalisation into the convolution before it; the twin is in `eval` mode, and stays there."""
    for sequence in [module for module in twin.modules() if isinstance(module, nn.Sequential)]:
        modules: list[nn.Module] = []
        while len(sequence):
            modules.insert(0, sequence.pop(-1))
        for module in modules:
            if isinstance(module, nn.BatchNorm2d) and len(sequence) and isinstance(sequence[-1], nn.Conv2d):
                sequence[-1] = fuse_conv_bn_eval(sequence[-1], module).to(memory_format=torch.channels_last)
            else:
                sequence.append(module)


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


def _module(module: Plain | Residual, channels: int, table: Table) -> tuple[nn.Module, int]:
    if isinstance(module, Plain):
        return _chain(module.rows, channels, table)
    main, out_channels = _chain(module.main, channels, table, shared=True)
    shortcut, _ = _chain(module.shortcut, channels, table)
    return ResidualTwin(main, shortcut), out_channels


def _chain(rows: tuple, channels: int, table: Table, shared: bool = False) -> tuple[nn.Sequential, int]:
    """Modules for rows; `shared` where somebody else reads their input too."""
    chain: list[nn.Module] = []
    for row in rows:
        match row:
            case Conv(filters, kernel, stride, padding, segments):
                pad = _padding(kernel, stride, padding)
                chain.append(nn.Conv2d(channels, filters, kernel, stride, pad, groups=segments, bias=table.bias))
            case Sep(filters, between, segments):
                chain.append(nn.Conv2d(channels, channels, 3, padding=1, groups=segments or channels, bias=False))
                chain += {None: [], "relu": [nn.ReLU(inplace=True)], "elu": [nn.ELU(inplace=True)]}[between]
                chain.append(nn.Conv2d(channels, filters, 1, bias=table.bias))
            case Relu():
                chain.append(nn.ReLU(inplace=bool(chain) or not shared))
            case Pool(kernel, 2, "same"):
                chain.append(SamePool(kernel))
            case Pool(kernel, stride, padding):
                chain.append(nn.MaxPool2d(kernel, stride, 0 if padding == "valid" else padding[0][0]))
            case Mean():
                chain.append(nn.AvgPool2d(3, 1, 1, count_include_pad=False))
            case Towers(towers):
                built = [_chain(tower.rows, channels, table, shared=True) for tower in towers]
                chain.append(TowersTwin([twin for twin, _ in built]))
                channels = sum(width for _, width in built)
        if isinstance(row, Conv | Sep):
            channels = row.filters
            if table.norm:
                chain.append(_norm(table, channels))
    return nn.Sequential(*chain), channels


def _norm(table: Table, channels: int) -> nn.BatchNorm2d:
    """PyTorch's momentum is the part that is new. Where there is no scale, its weight is 1 and no parameter."""
    norm = nn.BatchNorm2d(channels, table.norm.epsilon, momentum=1 - table.norm.momentum)
    if not table.norm.scale:
        norm.weight = None
    return norm


def _head(table: Table, shape: tuple[int, ...], classes: int) -> list[nn.Module]:
    """From the result of the modules, whose shape in ours is (N, H, W, C), to logits."""
    head: list[nn.Module] = []
    channels = shape[-1]
    for row in table.head:
        match row:
            case GlobalPool():
                head += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            case Flatten():
                head.append(FlattenPixels())
                channels = math.prod(shape[1:])
            case Full(units):
                head.append(nn.Linear(channels, units))
                channels = units
            case Relu():
                head.append(nn.ReLU(inplace=True))
    return [*head, nn.Linear(channels, classes)]


def _padding(kernel: int | tuple[int, int], stride: int, padding: str) -> int | tuple[int, int]:
    """One number for both sides of an axis, where there is one."""
    sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    if padding == "valid":
        return 0
    if max(sizes) == 1 or (stride == 1 and all(size % 2 == 1 for size in sizes)):
        return sizes[0] // 2, sizes[1] // 2
    raise ValueError(f"kernel is {kernel} with stride {stride} and padding {padding!r}; expected equal padding on all sides")

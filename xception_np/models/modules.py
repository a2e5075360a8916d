"""The modules that lead to Xception, in the words of tables: what came before the paper, and its Figures 1 to 4.

    chain, buffers = modules.build(modules.figure_2(towers=3, width=64), channels=192)
    y, cache = chain.forward(x)

Every convolution is followed by batch normalisation, if asked for, and by a ReLU. From Figure 2 on there is one number to turn: the
segments into which the spatial convolution divides the channels. Figure 3 computes what Figure 2 computes (`join_towers` carries
the weights over), with 3 segments; with one segment it is a regular convolution, and with as many as channels Figure 4.
"""

import numpy as np

from xception_np.errors import InputError
from xception_np.layers import Branches, Buffers, Chain, allocate
from xception_np.models.builder import rows
from xception_np.models.table import Conv, Mean, Norm, Pool, Relu, Table, Tower, Towers


def mlpconv(width: int, kernel: int = 5) -> tuple:
    """Network in Network (Lin et al., arXiv 1312.4400): a convolution, and two dense layers at every pixel."""
    return Conv(width, kernel), Relu(), Conv(width, 1), Relu(), Conv(width, 1), Relu()


def googlenet(width: int) -> tuple:
    """Szegedy et al., arXiv 1409.4842, Figure 2b: 1x1, 3x3, 5x5 and a max pool side by side."""
    return _towers(
        (Conv(width, 1), Relu()),
        (Conv(width, 1), Relu(), Conv(width, 3), Relu()),
        (Conv(width, 1), Relu(), Conv(width, 5), Relu()),
        (Pool(3, stride=1), Conv(width, 1), Relu()),
    )


def figure_1(width: int) -> tuple:
    """A canonical Inception module (Inception V3)."""
    return _towers(
        (Conv(width, 1), Relu()),
        (Conv(width, 1), Relu(), Conv(width, 3), Relu()),
        (Conv(width, 1), Relu(), Conv(width, 3), Relu(), Conv(width, 3), Relu()),
        (Mean(), Conv(width, 1), Relu()),
    )


def figure_2(towers: int, width: int) -> tuple:
    """A simplified Inception module: one size of convolution, and no pool."""
    return _towers(*((Conv(width, 1), Relu(), Conv(width, 3), Relu()),) * towers)


def figure_3(towers: int, width: int) -> tuple:
    """Strictly the same: one large 1x1 convolution, and 3x3 convolutions of segments of its channels that do not overlap."""
    return Conv(towers * width, 1), Relu(), Conv(towers * width, 3, segments=towers), Relu()


def figure_4(width: int) -> tuple:
    """The extreme version: one spatial convolution for every channel of the 1x1."""
    return figure_3(towers=width, width=1)


def build(words: tuple, channels: int, norm: Norm | None = None, seed: int = 0, dtype=np.float32) -> tuple[Chain, Buffers]:
    """The layers of a module for so many input channels, with starting values, and the vectors that hold its parameters."""
    table = Table("module", input_size=1, classes=1, source="", modules=(), norm=norm)
    chain, _ = rows("module", words, channels, table)
    return chain, allocate(chain.parameters, chain.moving, dtype, seed)


def join_towers(towers: Chain, joined: Chain) -> None:
    """Give Figure 3 the values of Figure 2: kernels, and what follows them, of all towers one after the other along the filters.

    Raises
    ------
    InputError
        If the second is not the first with its towers joined.
    """
    match towers.layers:
        case [Branches() as branches]:
            pass
        case _:
            raise InputError(f"towers is {towers!r}; expected a module of towers side by side, as figure_2 builds it")
    wholes, parts = joined.parameters + joined.moving, [branch.parameters + branch.moving for branch in branches.branches]
    if any(len(part) != len(wholes) for part in parts):
        counts = ", ".join(str(len(part)) for part in parts)
        raise InputError(f"joined has {len(wholes)} arrays; expected as many as each tower, which have {counts}")
    values = [np.concatenate([parameter.value for parameter in part], axis=-1) for part in zip(*parts, strict=True)]
    for whole, value in zip(wholes, values, strict=True):
        if value.shape != whole.shape:
            raise InputError(f"{whole.name} has shape {whole.shape}; expected {value.shape}, as the towers have together")
    for whole, value in zip(wholes, values, strict=True):
        whole.value[...] = value


def _towers(*paths: tuple) -> tuple:
    return (Towers(tuple(Tower(f"tower{k}", path) for k, path in enumerate(paths, start=1))),)

"""Inception V3, what the paper measures Xception against: Szegedy et al., arXiv 1512.00567, as Keras has it.

Towers are named as in Keras's code, `branch7x7dbl` and so on. A convolution is always followed by a ReLU. Where Keras's layer has
no name of its own (conv2d_17), ours is its tower and its place there: `mixed0_branch5x5_conv2`.
"""

from xception_np.models.table import Conv, Mean, Norm, Plain, Pool, Relu, Table, Tower, Towers


def _convs(*rows) -> tuple:
    """Rows, with a ReLU after every convolution."""
    return tuple(word for row in rows for word in ((row, Relu()) if isinstance(row, Conv) else (row,)))


def _module(name: str, **towers: tuple) -> Plain:
    return Plain(name, (Towers(tuple(Tower(tower, _convs(*rows)) for tower, rows in towers.items())),))


def _size_35(name: str, pool: int) -> Plain:
    """Figure 5 of Szegedy et al.: two 3x3 in place of one 5x5 in the third tower."""
    return _module(
        name,
        branch1x1=(Conv(64, 1),),
        branch5x5=(Conv(48, 1), Conv(64, 5)),
        branch3x3dbl=(Conv(64, 1), Conv(96), Conv(96)),
        branch_pool=(Mean(), Conv(pool, 1)),
    )


def _size_17(name: str, narrow: int, narrow_double: int) -> Plain:
    """Figure 6 of Szegedy et al.: 1x7 and 7x1 in place of 7x7."""
    return _module(
        name,
        branch1x1=(Conv(192, 1),),
        branch7x7=(Conv(narrow, 1), Conv(narrow, (1, 7)), Conv(192, (7, 1))),
        branch7x7dbl=(
            Conv(narrow_double, 1),
            Conv(narrow, (7, 1)),
            Conv(narrow, (1, 7)),
            Conv(narrow, (7, 1)),
            Conv(192, (1, 7)),
        ),
        branch_pool=(Mean(), Conv(192, 1)),
    )


def _size_8(name: str) -> Plain:
    """Figure 7 of Szegedy et al.: towers that part again, into 1x3 and 3x1 side by side."""
    parted = Towers((Tower("1", _convs(Conv(384, (1, 3)))), Tower("2", _convs(Conv(384, (3, 1))))))
    return _module(
        name,
        branch1x1=(Conv(320, 1),),
        branch3x3=(Conv(384, 1), parted),
        branch3x3dbl=(Conv(448, 1), Conv(384), parted),
        branch_pool=(Mean(), Conv(192, 1)),
    )


def _table(name: str, source: str, norm: Norm, bias: bool, pool: tuple[int, int, int], last_narrow_double: int) -> Table:
    halving = Pool(padding="valid")
    return Table(
        name=name,
        input_size=299,
        classes=1000,
        source=source,
        norm=norm,
        bias=bias,
        modules=(
            Plain("stem1", (*_convs(Conv(32, stride=2, padding="valid"), Conv(32, padding="valid"), Conv(64)), halving)),
            Plain("stem2", (*_convs(Conv(80, 1, padding="valid"), Conv(192, padding="valid")), halving)),
            *(_size_35(f"mixed{k}", width) for k, width in enumerate(pool)),
            _module(
                "mixed3",
                branch3x3=(Conv(384, stride=2, padding="valid"),),
                branch3x3dbl=(Conv(64, 1), Conv(96), Conv(96, stride=2, padding="valid")),
                branch_pool=(halving,),
            ),
            _size_17("mixed4", 128, 128),
            _size_17("mixed5", 160, 160),
            _size_17("mixed6", 160, 160),
            _size_17("mixed7", 192, last_narrow_double),
            _module(
                "mixed8",
                branch3x3=(Conv(192, 1), Conv(320, stride=2, padding="valid")),
                branch7x7x3=(Conv(192, 1), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, stride=2, padding="valid")),
                branch_pool=(halving,),
            ),
            _size_8("mixed9"),
            _size_8("mixed10"),
        ),
    )


INCEPTION_V3 = _table(
    "inception_v3",
    "Szegedy et al., arXiv 1512.00567, as in Keras's applications",
    norm=Norm(scale=False),
    bias=False,
    pool=(32, 64, 64),
    last_narrow_double=192,
)

# The network that the paper counted for its Table 3: Chollet's first Inception V3 for Keras, with biases before the batch
# normalisation, narrower pool towers, and 160 instead of 192 filters in one convolution of mixed7
INCEPTION_V3_PAPER = _table(
    "inception_v3_paper",
    "the Inception V3 of Chollet, arXiv 1610.02357, Table 3",
    norm=Norm(),
    bias=True,
    pool=(32, 32, 32),
    last_narrow_double=160,
)

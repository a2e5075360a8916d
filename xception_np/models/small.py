"""A family of small Xceptions, with the modules of Figure 5: three for 32x32 pictures, one for 128x128.

The stem keeps the picture's size (xception_compact's halves it), and three pooled modules halve it: 32, 16, 8 in the middle flow,
4. Batch normalisation forgets faster than in the paper's network (momentum 0.9), because training takes thousands of steps rather
than hundreds of thousands.
"""

from xception_np.models.table import Conv, Norm, Plain, Pool, Relu, Residual, Sep, Table


def _table(
    name: str,
    stem: tuple[int, int],
    entry: tuple[int, int],
    middle: int,
    exit: tuple[int, int],
    last: int,
    input_size: int = 32,
    stride: int = 1,
) -> Table:
    wide, wider = entry
    narrow, end = exit
    return Table(
        name=name,
        input_size=input_size,
        classes=10,
        norm=Norm(momentum=0.9),
        source=f"this project, for pictures of {input_size} pixels",
        modules=(
            # Entry flow
            Plain("block1", (Conv(stem[0], stride=stride), Relu(), Conv(stem[1]), Relu())),
            Residual("block2", (Sep(wide), Relu(), Sep(wide), Pool()), shortcut=(Conv(wide, kernel=1, stride=2),)),
            Residual("block3", (Relu(), Sep(wider), Relu(), Sep(wider), Pool()), shortcut=(Conv(wider, 1, stride=2),)),
            # Middle flow, repeated four times
            *(Residual(f"block{k}", (Relu(), Sep(middle), Relu(), Sep(middle), Relu(), Sep(middle))) for k in range(4, 8)),
            # Exit flow
            Residual("block8", (Relu(), Sep(narrow), Relu(), Sep(end), Pool()), shortcut=(Conv(end, kernel=1, stride=2),)),
            Plain("block9", (Sep(last), Relu())),
        ),
    )


XCEPTION_SMALL = _table("xception_small", (16, 32), (64, 128), 128, (192, 256), 384)
XCEPTION_MEDIUM = _table("xception_medium", (24, 48), (96, 192), 192, (256, 320), 448)
XCEPTION_LARGE = _table("xception_large", (32, 64), (128, 256), 256, (256, 384), 512)
XCEPTION_COMPACT = _table("xception_compact", (16, 32), (64, 128), 128, (192, 256), 384, input_size=128, stride=2)

"""A family of small Xceptions for 32x32 pictures, with the modules of Figure 5.

The stem keeps the picture's size, the three pooled modules halve it: 32, 16, 8 (middle flow), 4. Batch normalisation forgets
faster than in the paper's network (momentum 0.9), because training takes thousands of steps rather than hundreds of thousands.
"""

from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep, Table


def _table(name: str, stem: tuple[int, int], entry: tuple[int, int], middle: int, exit: tuple[int, int], last: int) -> Table:
    wide, wider = entry
    narrow, end = exit
    return Table(
        name=name,
        input_size=32,
        classes=10,
        momentum=0.9,
        source="this project, for CIFAR-10",
        modules=(
            # Entry flow
            Plain("block1", (Conv(stem[0]), Relu(), Conv(stem[1]), Relu())),
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

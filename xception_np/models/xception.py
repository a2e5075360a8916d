"""The paper's network: Figure 5, module by module. Names follow Keras."""

from xception_np.models.table import Conv, Full, GlobalPool, Norm, Plain, Pool, Relu, Residual, Sep, Table


def _modules(pool: Pool) -> tuple[Plain | Residual, ...]:
    return (
        # Entry flow
        Plain("block1", (Conv(32, stride=2, padding="valid"), Relu(), Conv(64, padding="valid"), Relu())),
        Residual("block2", (Sep(128), Relu(), Sep(128), pool), shortcut=(Conv(128, kernel=1, stride=2),)),
        Residual("block3", (Relu(), Sep(256), Relu(), Sep(256), pool), shortcut=(Conv(256, kernel=1, stride=2),)),
        Residual("block4", (Relu(), Sep(728), Relu(), Sep(728), pool), shortcut=(Conv(728, kernel=1, stride=2),)),
        # Middle flow, repeated eight times
        *(Residual(f"block{k}", (Relu(), Sep(728), Relu(), Sep(728), Relu(), Sep(728))) for k in range(5, 13)),
        # Exit flow
        Residual("block13", (Relu(), Sep(728), Relu(), Sep(1024), pool), shortcut=(Conv(1024, kernel=1, stride=2),)),
        Plain("block14", (Sep(1536), Relu(), Sep(2048), Relu())),
    )


XCEPTION = Table(
    name="xception",
    input_size=299,
    classes=1000,
    source="Chollet, arXiv 1610.02357, Figure 5",
    modules=_modules(Pool()),
)

# The network of the JFT runs with fully connected layers: two of 4,096 units before the 17,000 classes (section 4.2)
XCEPTION_FC = XCEPTION._replace(
    name="xception_fc",
    classes=17_000,
    source="Chollet, arXiv 1610.02357, Figure 5 with its optional fully connected layers",
    head=(GlobalPool(), Full(4096), Relu(), Full(4096), Relu()),
)

# The same weights as the world has them in PyTorch: timm pads a pool by one pixel on every side and keeps PyTorch's epsilon
LEGACY_XCEPTION = XCEPTION._replace(
    name="legacy_xception",
    source="timm's legacy_xception",
    modules=_modules(Pool(padding=((1, 1), (1, 1)))),
    norm=Norm(momentum=0.9, epsilon=1e-5),
)

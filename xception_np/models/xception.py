"""The paper's network: Figure 5, module by module. Names follow Keras."""

from xception_np.models.table import Conv, Plain, Pool, Relu, Residual, Sep, Table

XCEPTION = Table(
    name="xception",
    input_size=299,
    classes=1000,
    momentum=0.99,
    source="Chollet, arXiv 1610.02357, Figure 5",
    modules=(
        # Entry flow
        Plain("block1", (Conv(32, stride=2, padding="valid"), Relu(), Conv(64, padding="valid"), Relu())),
        Residual("block2", (Sep(128), Relu(), Sep(128), Pool()), shortcut=(Conv(128, kernel=1, stride=2),)),
        Residual("block3", (Relu(), Sep(256), Relu(), Sep(256), Pool()), shortcut=(Conv(256, kernel=1, stride=2),)),
        Residual("block4", (Relu(), Sep(728), Relu(), Sep(728), Pool()), shortcut=(Conv(728, kernel=1, stride=2),)),
        # Middle flow, repeated eight times
        *(Residual(f"block{k}", (Relu(), Sep(728), Relu(), Sep(728), Relu(), Sep(728))) for k in range(5, 13)),
        # Exit flow
        Residual("block13", (Relu(), Sep(728), Relu(), Sep(1024), Pool()), shortcut=(Conv(1024, kernel=1, stride=2),)),
        Plain("block14", (Sep(1536), Relu(), Sep(2048), Relu())),
    ),
)

"""VGG-16, the plain network of the paper's Table 1: Simonyan and Zisserman, arXiv 1409.1556, configuration D. Keras's names."""

from xception_np.models.table import Conv, Flatten, Full, Plain, Pool, Relu, Table


def _block(number: int, filters: int, convolutions: int) -> Plain:
    return Plain(f"block{number}", (*(Conv(filters), Relu()) * convolutions, Pool(kernel=2)))


VGG16 = Table(
    name="vgg16",
    input_size=224,
    classes=1000,
    source="Simonyan and Zisserman, arXiv 1409.1556, configuration D",
    norm=None,
    bias=True,
    modules=(_block(1, 64, 2), _block(2, 128, 2), _block(3, 256, 3), _block(4, 512, 3), _block(5, 512, 3)),
    head=(Flatten(), Full(4096), Relu(), Full(4096), Relu()),
)

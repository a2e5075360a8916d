"""Global average pooling on the CPU: a few images at a time, vectors along the channels."""

import math

from xception_np import arrays, threads, tiling
from xception_np.ops.compile import compiled
from xception_np.ops.global_avg_pool import Cache, output_shape


def forward(x):
    y = arrays.empty(output_shape(x.shape), x.dtype)
    threads.for_tiles(lambda images: _forward(x[images], y[images]), _images(x.shape))
    return y, Cache(x.shape, x.dtype)


def backward(dy, cache):
    dx = arrays.empty(cache.x_shape, cache.dtype)
    threads.for_tiles(lambda images: _backward(dy[images], dx[images]), _images(dx.shape))
    return dx


def _images(shape):
    """Slices of a few images."""
    images, *of_one = shape
    return [slice(tile.n0, tile.n1) for tile in tiling.image_tiles((images, 1, 1, math.prod(of_one)))]


@compiled
def _forward(x, y):
    for n in range(x.shape[0]):
        out = y[n]
        for c in range(out.size):
            out[c] = 0
        for h in range(x.shape[1]):
            for w in range(x.shape[2]):
                pixel = x[n, h, w]
                for c in range(out.size):
                    out[c] += pixel[c]
        for c in range(out.size):
            out[c] /= x.shape[1] * x.shape[2]


# y = sum of x / (H * W), so every pixel gets dy / (H * W)
@compiled
def _backward(dy, dx):
    for n in range(dx.shape[0]):
        upstream = dy[n]
        for h in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                pixel = dx[n, h, w]
                for c in range(pixel.size):
                    pixel[c] = upstream[c] / (dx.shape[1] * dx.shape[2])

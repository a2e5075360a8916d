"""Average pooling on the CPU: loops over pixels and taps, vectors along the channels."""

from xception_np import arrays, threads, tiling
from xception_np.ops.avg_pool import Cache, output_shape
from xception_np.ops.compile import compiled


def forward(x, geometry):
    y = arrays.empty(output_shape(x.shape, geometry), x.dtype)
    steps = geometry.windows(*x.shape[1:3])

    def tile_forward(tile):
        _forward(x[tile.n0 : tile.n1], tile.of(y), tile.h0, *steps)

    threads.for_tiles(tile_forward, tiling.image_tiles(y.shape))
    return y, Cache(x.shape, geometry, x.dtype)


def backward(dy, cache):
    x_shape, geometry, dtype = cache
    dx = arrays.empty(x_shape, dtype)
    steps = geometry.windows(*x_shape[1:3])
    # y = sum of x / inside, so every tap gets dy / inside
    share = dy / geometry.inside(*x_shape[1:3]).astype(dtype)[:, :, None]

    def tile_backward(tile):
        _backward(share[tile.n0 : tile.n1], tile.of(dx), tile.h0, *steps)

    threads.for_tiles(tile_backward, tiling.image_tiles(x_shape))
    return dx


@compiled
def _forward(x, y, h0, kernel, stride, dilation, origin):
    """y[n, r, ow, c] = mean over i, j inside of x[n, (h0 + r)*sh + i*dh - top, ow*sw + j*dw - left, c]"""
    for n in range(y.shape[0]):
        for r in range(y.shape[1]):
            for ow in range(y.shape[2]):
                out = y[n, r, ow]
                for c in range(out.size):
                    out[c] = 0
                inside = 0
                for i in range(kernel[0]):
                    h = (h0 + r) * stride[0] + i * dilation[0] - origin[0]
                    if h < 0 or h >= x.shape[1]:
                        continue
                    for j in range(kernel[1]):
                        w = ow * stride[1] + j * dilation[1] - origin[1]
                        if w < 0 or w >= x.shape[2]:
                            continue
                        pixel = x[n, h, w]
                        for c in range(out.size):
                            out[c] += pixel[c]
                        inside += 1
                for c in range(out.size):
                    out[c] /= inside


@compiled
def _backward(share, dx, h0, kernel, stride, dilation, origin):
    """dx[n, r, w, c] = sum of share[n, oh, ow, c] over the windows (oh, ow) that saw pixel (h0 + r, w)"""
    for n in range(dx.shape[0]):
        for r in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                out = dx[n, r, w]
                for c in range(out.size):
                    out[c] = 0
                for i in range(kernel[0]):
                    oh, skip = divmod(h0 + r + origin[0] - i * dilation[0], stride[0])
                    if skip != 0 or oh < 0 or oh >= share.shape[1]:
                        continue
                    for j in range(kernel[1]):
                        ow, skip = divmod(w + origin[1] - j * dilation[1], stride[1])
                        if skip != 0 or ow < 0 or ow >= share.shape[2]:
                            continue
                        upstream = share[n, oh, ow]
                        for c in range(out.size):
                            out[c] += upstream[c]

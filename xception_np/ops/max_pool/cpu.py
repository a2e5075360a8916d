"""Max pooling on the CPU: loops over pixels and taps, vectors along the channels.

Backward is a gather: every pixel asks the windows that saw it whether it won.
"""

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.max_pool import Cache, output_shape, winners_dtype


def forward(x, geometry):
    y = arrays.empty(output_shape(x.shape, geometry), x.dtype)
    winners = arrays.empty(y.shape, winners_dtype(geometry))
    steps = geometry.windows(*x.shape[1:3])

    def tile_forward(tile):
        _forward(x[tile.n0 : tile.n1], tile.of(y), tile.of(winners), tile.h0, *steps)

    threads.for_tiles(tile_forward, threads.image_tiles(y.shape))
    return y, Cache(winners, x.shape, geometry, x.dtype)


def backward(dy, cache):
    winners, x_shape, geometry, dtype = cache
    dx = arrays.empty(x_shape, dtype)
    steps = geometry.windows(*x_shape[1:3])

    def tile_backward(tile):
        _backward(dy[tile.n0 : tile.n1], winners[tile.n0 : tile.n1], tile.of(dx), tile.h0, *steps)

    threads.for_tiles(tile_backward, threads.image_tiles(x_shape))
    return dx


@compiled
def _forward(x, y, winners, h0, kernel, stride, dilation, origin):
    """y[n, r, ow, c] = max over i, j of x[n, (h0 + r)*sh + i*dh - top, ow*sw + j*dw - left, c]; winners = i*kw + j of it"""
    for n in range(y.shape[0]):
        for r in range(y.shape[1]):
            for ow in range(y.shape[2]):
                best, winner = y[n, r, ow], winners[n, r, ow]
                first = True
                for i in range(kernel[0]):
                    h = (h0 + r) * stride[0] + i * dilation[0] - origin[0]
                    if h < 0 or h >= x.shape[1]:
                        continue
                    for j in range(kernel[1]):
                        w = ow * stride[1] + j * dilation[1] - origin[1]
                        if w < 0 or w >= x.shape[2]:
                            continue
                        pixel, tap = x[n, h, w], i * kernel[1] + j
                        if first:
                            for c in range(best.size):
                                best[c] = pixel[c]
                                winner[c] = tap
                            first = False
                            continue
                        for c in range(best.size):
                            wins = pixel[c] > best[c] or (pixel[c] != pixel[c] and best[c] == best[c])
                            best[c] = pixel[c] if wins else best[c]
                            winner[c] = tap if wins else winner[c]


# y = x at the winning tap, so dx = dy there and 0 elsewhere
@compiled
def _backward(dy, winners, dx, h0, kernel, stride, dilation, origin):
    """dx[n, r, w, c] = sum of dy[n, oh, ow, c] over the windows (oh, ow) that pixel (h0 + r, w) won"""
    for n in range(dx.shape[0]):
        for r in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                out = dx[n, r, w]
                for c in range(out.size):
                    out[c] = 0
                for i in range(kernel[0]):
                    oh, skip = divmod(h0 + r + origin[0] - i * dilation[0], stride[0])
                    if skip != 0 or oh < 0 or oh >= dy.shape[1]:
                        continue
                    for j in range(kernel[1]):
                        ow, skip = divmod(w + origin[1] - j * dilation[1], stride[1])
                        if skip != 0 or ow < 0 or ow >= dy.shape[2]:
                            continue
                        upstream, winner, tap = dy[n, oh, ow], winners[n, oh, ow], i * kernel[1] + j
                        for c in range(out.size):
                            if winner[c] == tap:
                                out[c] += upstream[c]

"""Concatenation on the CPU: copies of spans of rows."""

from xception_np import arrays, threads
from xception_np.ops.compile import compiled
from xception_np.ops.concat import cache_of


def forward(branches):
    y = arrays.empty((*branches[0].shape[:3], sum(branch.shape[3] for branch in branches)), branches[0].dtype)
    y_rows, offset = y.reshape(-1, y.shape[3]), 0
    for branch in branches:
        rows, start = branch.reshape(-1, branch.shape[3]), offset
        threads.for_tiles(lambda span, rows=rows, start=start: _put(rows[span], y_rows[span], start), _spans(rows))
        offset += branch.shape[3]
    return y, cache_of(branches, y)


def backward(dy, cache):
    dy_rows, offset, parts = dy.reshape(-1, dy.shape[3]), 0, []
    for channels in cache.channels:
        # every branch takes its own channels of dy
        part = arrays.empty((*dy.shape[:3], channels), dy.dtype)
        rows, start = part.reshape(-1, channels), offset
        threads.for_tiles(lambda span, rows=rows, start=start: _take(dy_rows[span], rows[span], start), _spans(rows))
        parts.append(part)
        offset += channels
    return tuple(parts)


def _spans(rows):
    return threads.spans(len(rows), max(1, threads.NUMBERS // rows.shape[1]))


@compiled
def _put(x, y, offset):
    for p in range(x.shape[0]):
        row, out = x[p], y[p, offset : offset + x.shape[1]]
        for c in range(row.size):
            out[c] = row[c]


@compiled
def _take(dy, dx, offset):
    for p in range(dx.shape[0]):
        row, out = dy[p, offset : offset + dx.shape[1]], dx[p]
        for c in range(out.size):
            out[c] = row[c]

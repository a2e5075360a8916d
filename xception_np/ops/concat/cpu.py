"""Concatenation on the CPU: copies of spans of rows."""

from xception_np import arrays, threads, tiling
from xception_np.ops.compile import compiled
from xception_np.ops.concat import cache_of


def forward(branches):
    y = arrays.empty((*branches[0].shape[:3], sum(branch.shape[3] for branch in branches)), branches[0].dtype)
    offset = 0
    for branch in branches:
        _in_spans(_put, branch, y, offset)
        offset += branch.shape[3]
    return y, cache_of(branches, y)


def backward(dy, cache):
    offset, parts = 0, []
    for channels in cache.channels:
        # every branch takes its own channels of dy
        part = arrays.empty((*dy.shape[:3], channels), dy.dtype)
        _in_spans(_take, dy, part, offset)
        parts.append(part)
        offset += channels
    return tuple(parts)


def _in_spans(function, source, target, offset):
    source_rows, target_rows = source.reshape(-1, source.shape[3]), target.reshape(-1, target.shape[3])
    spans = tiling.spans(len(source_rows), min(source.shape[3], target.shape[3]))
    threads.for_tiles(lambda span: function(source_rows[span], target_rows[span], offset), spans)


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

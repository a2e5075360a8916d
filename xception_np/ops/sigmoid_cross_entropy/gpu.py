"""Sigmoid cross-entropy on a GPU: one thread a number, and one number that the host reads."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.sigmoid_cross_entropy import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(logits, targets):
    count, dtype = logits.size, logits.dtype
    chunk, chunks = kernels.chunks(count)
    probabilities, losses = arrays.empty_like(logits), arrays.empty_like(logits)
    sums, loss = arrays.empty((chunks,), dtype, like=logits), arrays.empty((1,), dtype, like=logits)
    kernels.launch(FILE, "forward", dtype, *kernels.over(count), (logits, targets, probabilities, losses, count))
    kernels.launch(FILE, "sum_chunks", dtype, *kernels.over(chunks), (losses, sums, count, chunk, chunks))
    kernels.launch(FILE, "mean", dtype, (1,), (1,), (sums, loss, count, chunks))
    return float(arrays.to_host(loss)[0]), Cache(probabilities, targets)


def backward(dloss, cache):
    probabilities, targets = cache
    # loss = mean of (log(1 + exp(logits)) - target * logits), so dlogits = (p - target) / (N * K)
    dlogits = arrays.empty_like(probabilities)
    args = (probabilities, targets, dlogits, dlogits.size, dloss / targets.size)
    kernels.launch(FILE, "backward", dlogits.dtype, *kernels.over(dlogits.size), args)
    return dlogits

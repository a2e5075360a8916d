"""Softmax cross-entropy on a GPU: one thread an image, and one number that the host reads."""

from pathlib import Path

from xception_np import arrays, kernels
from xception_np.ops.softmax_cross_entropy import Cache

FILE = Path(__file__).with_name("gpu.cu")


def forward(logits, labels, label_smoothing):
    (images, classes), dtype = logits.shape, logits.dtype
    probabilities, log_p = arrays.empty_like(logits), arrays.empty_like(logits)
    losses, loss = arrays.empty((images,), dtype, like=logits), arrays.empty((1,), dtype, like=logits)
    kernels.launch(FILE, "softmax", dtype, *kernels.over(images), (logits, probabilities, log_p, images, classes))
    args = (log_p, labels, losses, images, classes, label_smoothing)
    kernels.launch(FILE, f"losses_of_{_kind(labels)}", dtype, *kernels.over(images), args)
    kernels.launch(FILE, "mean", dtype, (1,), (1,), (losses, loss, images))
    return float(arrays.to_host(loss)[0]), Cache(probabilities, labels, label_smoothing)


def backward(dloss, cache):
    probabilities, labels, label_smoothing = cache
    images, classes = probabilities.shape
    # loss = mean of (log sum exp - target . logits), so dlogits = (p - target) / N
    dlogits = arrays.empty_like(probabilities)
    args = (probabilities, labels, dlogits, dlogits.size, classes, label_smoothing, dloss / images)
    kernels.launch(FILE, f"backward_of_{_kind(labels)}", dlogits.dtype, *kernels.over(dlogits.size), args)
    return dlogits


def _kind(labels):
    return "classes" if labels.ndim == 1 else "shares"

"""For every exercise of the notebook, answers that look right and are not; at least three each."""

WRONG = {
    "bias_gradient": [
        lambda dy: dy.sum(axis=(1, 2)),
        lambda dy: dy.mean(axis=(0, 1, 2)),
        lambda dy: dy.sum(axis=(1, 2, 3)),
        lambda dy: dy.reshape(-1, dy.shape[-1]).sum(axis=0, dtype="float32"),
    ],
}

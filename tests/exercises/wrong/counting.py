"""For every exercise of the notebook, answers that look right and are not; at least three each."""


def _positions_in_one_half_only(height, width, kernel, channels, filters):
    depthwise, pointwise = kernel * kernel * channels, channels * filters
    return depthwise + pointwise, height * width * depthwise + pointwise


WRONG = {
    "separable_cost": [
        lambda h, w, k, c, f: (k * k * c * f, h * w * k * k * c * f),  # a regular convolution
        lambda h, w, k, c, f: (k * c + c * f, h * w * (k * c + c * f)),  # a row of the kernel
        lambda h, w, k, c, f: (k * k * f + c * f, h * w * (k * k * f + c * f)),  # depthwise after pointwise
        lambda h, w, k, c, f: (k * k * c + c * f, 2 * h * w * (k * k * c + c * f)),  # operations, not multiply-adds
        lambda h, w, k, c, f: (k * k * c + c * f + f, h * w * (k * k * c + c * f)),  # with a bias
        _positions_in_one_half_only,
    ],
    "head_parameters": [
        lambda h, w, c, u: (h * w * c * u, c * u),  # without the biases
        lambda h, w, c, u: (h * w * c * u + 1, c * u + 1),  # one bias
        lambda h, w, c, u: ((h * w * c + 1) * u, h * w * (c + 1) * u),  # every position on its own
        lambda h, w, c, u: ((c + 1) * u, (h * w * c + 1) * u),  # the wrong way round
    ],
}

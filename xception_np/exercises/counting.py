"""Exercises of the notebook about counting: parameters and multiply-adds."""

from xception_np.exercises import Exercise


def separable_cost(height, width, kernel, channels, filters):
    """Parameters and multiply-adds of a separable convolution, stride 1, same padding, no bias."""
    parameters = kernel * kernel * channels + channels * filters
    return parameters, height * width * parameters


def head_parameters(height, width, channels, units):
    """Parameters, biases too, of a dense layer after an image: flattened, and averaged first."""
    return (height * width * channels + 1) * units, (channels + 1) * units


EXERCISES = (
    Exercise(
        separable_cost,
        lambda: [(1, 1, 3, 2, 5), (19, 19, 3, 728, 728), (10, 7, 5, 64, 32)],
        ("parameters", "multiply-adds"),
        lines=2,
    ),
    Exercise(
        head_parameters,
        lambda: [(2, 2, 3, 4), (7, 7, 512, 4096), (10, 8, 2048, 1000)],
        ("flattened", "averaged"),
        lines=1,
    ),
)

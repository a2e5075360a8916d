"""A step of RMSprop on a GPU: one thread a number."""

from pathlib import Path

from xception_np import kernels

FILE = Path(__file__).with_name("gpu.cu")


def step(values, mean_square, velocity, gradients, decay, rate, momentum, forgetting, epsilon):
    scalars = (rate, momentum, forgetting, 1 - forgetting, epsilon)
    args = (values, mean_square, velocity, gradients, decay, values.size, *scalars)
    kernels.launch(FILE, "step", values.dtype, *kernels.over(values.size), args)

"""A step of gradient descent on a GPU: one thread a number."""

from pathlib import Path

from xception_np import kernels

FILE = Path(__file__).with_name("gpu.cu")


def step(values, velocity, gradients, decay, rate, momentum, nesterov):
    args = (values, velocity, gradients, decay, values.size, rate, momentum, int(nesterov))
    kernels.launch(FILE, "step", values.dtype, *kernels.over(values.size), args)

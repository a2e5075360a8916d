"""Write the golden files: results and gradients of PyTorch for every operation, in float64.

    python tests/golden/make_golden.py

One file an operation, NAME.safetensors, with the arrays of its cases: `CASE/arguments.0`, ..., `CASE/dy`, `CASE/y`,
`CASE/gradients.0`, ... Its metadata has one entry, `cases`: JSON that says for each case what `forward` and `backward` take,
arrays by name, and what they return.

Dropout has no file: its mask is our own random words, which no other library draws.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from xception_np.check.draw import Draw
from xception_np.geometry import Geometry

FOLDER = Path(__file__).parent
WINDOWS = {  # (N, H, W) and the window
    "1x7": ((1, 3, 9), Geometry((1, 7))),
    "stride 2, even": ((2, 4, 6), Geometry(3, 2)),
    "stride 2, odd": ((1, 5, 7), Geometry(3, 2)),
    "strides and dilation": ((1, 7, 8), Geometry((3, 2), (3, 2), (1, 2))),
    "uneven padding": ((1, 4, 5), Geometry((3, 2), (2, 1), padding=((2, 0), (1, 1)))),
    "valid, pixels left over": ((1, 6, 7), Geometry((3, 2), (2, 3), padding="valid")),
}


def calls() -> Iterator[tuple[str, str, tuple]]:
    """(operation, case, arguments of `forward`)."""
    for name, (shape, geometry) in WINDOWS.items():
        draw, kernel = Draw(name), geometry.kernel
        x = draw.normal(*shape, 4)
        yield "conv", name, (x, draw.normal(*kernel, 4, 3), geometry)
        yield "grouped_conv", name, (x, draw.normal(*kernel, 2, 6), geometry, 2)
        yield "depthwise_conv", name, (x, draw.normal(*kernel, 4, 2), geometry)
        yield "max_pool", name, (draw.distinct(*shape, 2), geometry)
        yield "avg_pool", name, (draw.normal(*shape, 2), geometry)

    draw, geometry = Draw("separable"), Geometry(3, 2)
    for activation in (None, "relu", "elu"):
        x, depthwise, pointwise = draw.normal(2, 5, 4, 3), draw.normal(3, 3, 3, 2), draw.normal(6, 4)
        yield "separable_conv", f"spatial first, {activation}", (x, depthwise, pointwise, geometry, "spatial_first", activation)
        depthwise, pointwise = draw.normal(3, 3, 4, 2), draw.normal(3, 4)
        yield "separable_conv", f"pointwise first, {activation}", (x, depthwise, pointwise, geometry, "pointwise_first", activation)

    for activation in (None, "relu"):
        x, gamma, beta = draw.normal(2, 5, 4, 3), draw.normal(3), draw.normal(3)
        weights = draw.normal(3, 3, 3, 2), draw.normal(6, 4)
        yield "norm_separable_conv", f"{activation}", (x, gamma, beta, *weights, geometry, 1e-3, activation)

    draw, image = Draw("others"), (2, 3, 4, 5)
    gamma, beta, mean, variance = draw.normal(5), draw.normal(5), draw.normal(5), 0.5 + draw.uniform(5)
    for epsilon, activation in ((1e-3, None), (1.0, None), (1e-3, "relu")):
        name, settings = f"epsilon {epsilon}, activation {activation}", (epsilon, activation)
        yield "batch_norm", name, (draw.normal(*image), gamma, beta, *settings)
        yield "batch_norm_inference", name, (draw.normal(*image), gamma, beta, mean, variance, *settings)
    yield "pointwise_conv", "image", (draw.normal(*image), draw.normal(5, 3))
    yield "dense", "rows", (draw.normal(3, 7), draw.normal(7, 5), draw.normal(5))
    yield "relu", "image", (draw.normal(*image),)
    yield "elu", "image", (draw.normal(*image),)
    yield "global_avg_pool", "image", (draw.normal(*image),)
    yield "add", "images", (draw.normal(*image), draw.normal(*image))
    yield "concat", "three images", ([draw.normal(2, 3, 4, channels) for channels in (1, 4, 2)],)
    yield "sigmoid_cross_entropy", "rows", (3 * draw.normal(3, 7), draw.uniform(3, 7))
    for smoothing in (0.0, 0.1):
        yield "softmax_cross_entropy", f"smoothing {smoothing}", (3 * draw.normal(3, 7), draw.labels(3, 7), smoothing)
        yield "softmax_cross_entropy", f"shares, smoothing {smoothing}", (3 * draw.normal(3, 7), draw.shares(3, 7), smoothing)
    for activation in (None, "relu"):
        yield "bias", f"activation {activation}", (draw.normal(*image), beta, activation)
    for activation in (None, "relu"):
        weight, depthwise, pointwise = draw.normal(3, 2, 5, 4), draw.normal(3, 2, 5, 2), draw.normal(10, 4)
        settings = draw.normal(4), Geometry((3, 2), (1, 2)), activation
        yield "conv_bias", f"activation {activation}", (draw.normal(*image), weight, *settings)
        yield "separable_conv_bias", f"activation {activation}", (draw.normal(*image), depthwise, pointwise, *settings)


def golden() -> dict[str, tuple[dict[str, np.ndarray], list[dict]]]:
    """The arrays and the descriptions of all cases, by operation. Needs PyTorch."""
    sys.path.insert(0, str(FOLDER.parents[1]))
    from benchmarks.torch_operations import passes

    files: dict[str, tuple[dict[str, np.ndarray], list[dict]]] = {}
    for operation, name, arguments in calls():
        arrays, cases = files.setdefault(operation, ({}, []))
        shape = np.shape(import_module(f"xception_np.ops.{operation}").forward(*arguments, implementation="reference")[0])
        dy = Draw(f"{operation} {name} dy").normal(*shape) if shape else 0.5
        y, gradients = passes(operation, arguments, dy)
        case = {"arguments": list(arguments), "dy": dy, "y": y, "gradients": gradients}
        cases.append({"name": name} | {key: _described(value, f"{name}/{key}", arrays) for key, value in case.items()})
    return files


def _described(value, name: str, arrays: dict[str, np.ndarray]):
    """A value as JSON; arrays go into `arrays`, and their names into the JSON."""
    if isinstance(value, list):
        return [_described(item, f"{name}.{k}", arrays) for k, item in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[name] = np.array(value, order="C")
        return {"array": name}
    if isinstance(value, Geometry):
        return {"geometry": vars(value)}
    return value


def main():
    for operation, (arrays, cases) in golden().items():
        path = FOLDER / f"{operation}.safetensors"
        save_file(arrays, path, metadata={"cases": json.dumps(cases)})
        print(f"{path.name}: {len(cases)} cases, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

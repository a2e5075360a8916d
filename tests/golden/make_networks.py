"""Write `networks.json`: what Keras, timm and PyTorch make of the published networks, filled as in `networks.py`.

    python tests/golden/make_networks.py

`logits`: {"xception at 71": the first of one picture's}, in float32, from Keras; from timm for its own.
`gradients`: {array: [norm, sum over elements times cos(0), cos(1), ...]} of a training step of Xception, and `losses` of ten steps
with momentum and weight decay, in float64, from PyTorch.
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "parity"), str(FOLDER.parents[1])]

from importing_timm import timm  # noqa: E402
from networks import CASES, GRADIENTS, KEPT, filled, pictures  # noqa: E402

from benchmarks.torch_twin import TorchTwin, copy_weights, in_torch_layout  # noqa: E402
from xception_np import models, weights  # noqa: E402

APPLICATIONS = {"xception": keras.applications.Xception, "inception_v3": keras.applications.InceptionV3}


def logits(name: str, size: int, folder: Path) -> list[float]:
    """Of one picture, by the program that the network is from."""
    double = filled(name, size)
    model = models.build(name)
    for mine, other in zip(model.arrays.values(), double.arrays.values(), strict=True):
        mine[...] = other
    x = pictures(1, size).astype(np.float32)
    if name in APPLICATIONS:
        weights.save(model, folder / "x.weights.h5")
        theirs = APPLICATIONS[name](weights=None, input_shape=(size, size, 3), classifier_activation=None)
        theirs.load_weights(folder / "x.weights.h5")
        found = theirs.predict(x, verbose=0)
    else:
        weights.save(model, folder / "x.safetensors", "timm")
        theirs = timm.create_model(name, pretrained=False).eval()
        theirs.load_state_dict(load_file(folder / "x.safetensors"))
        with torch.inference_mode():
            found = theirs(torch.tensor(x).permute(0, 3, 1, 2)).numpy()
    return [round(float(value), 6) for value in found[0, :KEPT]]


def training() -> dict:
    """Gradients and losses of PyTorch's twin."""
    name, size, images = GRADIENTS
    model = filled(name, size)
    twin = TorchTwin(model.table, model.classes).to(torch.float64)
    copy_weights(model, twin)
    x, labels = torch.tensor(pictures(images, size)), torch.arange(images)
    decays = [1e-4 if parameter.name.endswith("kernel") else 0.0 for parameter in model.parameters]
    groups = [{"params": [tensor], "weight_decay": decay} for tensor, decay in zip(twin.parameters(), decays, strict=True)]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    gradients, losses = {}, []
    for number in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(twin(x), labels, label_smoothing=0.1)
        loss.backward()
        if number == 0:
            for parameter, tensor in zip(model.parameters, twin.parameters(), strict=True):
                theirs = tensor.grad.numpy()
                size_of = float(np.sqrt((theirs**2).sum()))
                signs = in_torch_layout(parameter, np.cos(np.arange(parameter.size)).reshape(parameter.shape))
                gradients[parameter.name] = [size_of, float((theirs * signs).sum())]
        optimizer.step()
        losses.append(loss.item())
    return {"gradients": gradients, "losses": losses}


def main():
    with tempfile.TemporaryDirectory() as folder:
        found = {f"{name} at {size}": logits(name, size, Path(folder)) for name, size in CASES}
    (FOLDER / "networks.json").write_text(json.dumps({"logits": found, **training()}, indent=0) + "\n")


if __name__ == "__main__":
    main()

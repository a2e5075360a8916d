"""Write the fixtures: weight files of tiny networks, by the programs that own the formats.

    python tests/weights/make_fixtures.py

Needs Keras on TensorFlow, PyTorch and timm. `expected.json` has what those programs answer, for pictures from a fixed seed:
{file: {"table": which tiny network, "logits": [[...], ...]}}.

No program that runs today writes Keras 1's layout; `*_keras_1.h5` is written here by its description: groups and datasets with the
kind's name and the number of creation, `running_std` for the variance; in VGG-16, whose layers have names, `block1_conv1_W_1`.
"""

import json
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import torch
from keras.src.legacy.saving import legacy_h5_format
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "parity"), str(FOLDER.parents[1])]

from importing_timm import timm_xception  # noqa: E402
from tiny import SIZE, tiny_inception, tiny_vgg, tiny_xception  # noqa: E402

from benchmarks.keras_twin import keras_twin  # noqa: E402
from xception_np import models  # noqa: E402
from xception_np.layers import Chain  # noqa: E402

FIXTURES = FOLDER / "fixtures"


def pictures() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, SIZE, SIZE, 3)).astype(np.float32)


def stirred(model: keras.Model) -> keras.Model:
    """Every array with random numbers of its own, so that no two can be taken for each other."""
    random = np.random.default_rng(1)
    values = []
    for variable in model.weights:
        value = random.standard_normal(variable.shape).astype(np.float32)
        if "variance" in variable.path:
            value = 0.5 + value**2
        elif "gamma" in variable.path:
            value = 1 + 0.2 * value
        values.append(value if "kernel" not in variable.path else value / np.sqrt(np.prod(variable.shape[:-1]) + 1))
    model.set_weights(values)
    return model


def write_keras(table, name: str) -> dict:
    """The layouts that Keras 3 writes, of one network."""
    chain = Chain(table.name, models.layers_of(table, table.classes))
    for _ in range(3):  # the counters of names that other models leave behind
        keras.layers.Conv2D(1, 1)(keras.Input((4, 4, 1)))
        keras.layers.BatchNormalization()(keras.Input((4, 4, 1)))
    model = stirred(keras_twin(chain, (SIZE, SIZE, 3)))
    answer = {"table": name, "logits": model.predict(pictures(), verbose=0).tolist()}
    model.save_weights(FIXTURES / f"{name}.weights.h5")
    files = [".weights.h5"]
    if name != "vgg16":  # whose layers all have names
        with h5py.File(FIXTURES / f"{name}_legacy.h5", "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        with h5py.File(FIXTURES / f"{name}_older.weights.h5", "w") as file, h5py.File(FIXTURES / f"{name}.weights.h5") as source:
            source.copy(source["layers"], file)  # older versions of Keras 3 did not write the names
            for group in file["layers"].values():
                group["vars"].attrs.pop("name", None)
        files += ["_legacy.h5", "_older.weights.h5"]
    if name == "xception":
        model.save(FIXTURES / f"{name}.keras")
        model.save(FIXTURES / f"{name}_whole.h5")
        files += [".keras", "_whole.h5"]
    return {f"{name}{ending}": answer for ending in files} | write_keras_1(model, name, answer)


def write_keras_1(model: keras.Model, name: str, answer: dict) -> dict:
    """Keras 1's words, and numbers in the order of creation."""
    words = {
        "Conv2D": "convolution2d",
        "SeparableConv2D": "separableconvolution2d",
        "BatchNormalization": "batchnormalization",
        "Dense": "dense",
    }
    arrays = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    with_weights = [layer for layer in model.layers if layer.weights]
    created = sorted(with_weights, key=lambda layer: int(layer.output.name.rpartition("_")[2]))  # Keras numbers tensors as it goes
    counts = dict.fromkeys(words, 0)
    with h5py.File(FIXTURES / f"{name}_keras_1.h5", "w") as file:
        names = {}
        for layer in created:
            kind = type(layer).__name__
            counts[kind] += 1
            has_name = name == "vgg16"
            names[layer.name] = layer.name if has_name else f"{words[kind]}_{counts[kind] + (kind == 'Dense')}"
            group = file.create_group(names[layer.name])
            for variable in layer.weights:
                array = variable.path.rpartition("/")[2]
                group[f"{names[layer.name]}_{arrays.get(array, array)}{'_1' * has_name}:0"] = np.asarray(variable)
            group.attrs["weight_names"] = [key.encode() for key in group]
        file.attrs["layer_names"] = [names[layer.name].encode() for layer in model.layers if layer.name in names]
    return {f"{name}_keras_1.h5": answer}


class TinyTimm(nn.Module):
    """timm's Xception with fewer modules and channels: its blocks, its names, its forward pass."""

    def __init__(self):
        super().__init__()
        separable, block = timm_xception.SeparableConv2d, timm_xception.Block
        self.conv1, self.bn1 = nn.Conv2d(3, 2, 3, 2, 0, bias=False), nn.BatchNorm2d(2)
        self.conv2, self.bn2 = nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3)
        self.block1 = block(3, 4, 2, 2, start_with_relu=False)
        self.block2 = block(4, 5, 2, 2)
        self.block4 = block(5, 5, 3, 1)
        self.block12 = block(5, 6, 2, 2, grow_first=False)
        self.conv3, self.bn3 = separable(6, 7, 3, 1, 1), nn.BatchNorm2d(7)
        self.conv4, self.bn4 = separable(7, 8, 3, 1, 1), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))
        x = self.block12(self.block4(self.block2(self.block1(x))))
        x = torch.relu(self.bn4(self.conv4(torch.relu(self.bn3(self.conv3(x))))))
        return self.fc(x.mean(dim=(2, 3)))


def write_timm() -> dict:
    torch.manual_seed(0)
    model = TinyTimm()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(tensor, 0.5, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    model.eval()
    with torch.inference_mode():
        logits = model(torch.tensor(pictures()).permute(0, 3, 1, 2))
    state = model.state_dict()
    old = {name.replace("fc.", "last_linear."): tensor for name, tensor in state.items() if "num_batches" not in name}
    for name, tensor in old.items():
        if name.endswith("pointwise.weight"):
            old[name] = tensor[:, :, 0, 0].contiguous()
        elif name.endswith("conv1.weight") and name != "conv1.weight":
            old[name] = tensor[:, 0].contiguous()
    save_file(state, FIXTURES / "timm.safetensors")
    save_file(old, FIXTURES / "timm_old.safetensors")
    answer = {"table": "legacy_xception", "logits": logits.tolist()}
    return {"timm.safetensors": answer, "timm_old.safetensors": answer}


def main():
    FIXTURES.mkdir(exist_ok=True)
    expected = write_keras(tiny_xception(), "xception") | write_keras(tiny_inception(), "inception_v3")
    expected |= write_keras(tiny_vgg(), "vgg16") | write_timm()
    (FIXTURES / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for path in sorted(FIXTURES.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""PyTorch, as one who cares for speed would write it: channels last, for inference folded, and compiled as another contender."""

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.in_turn import Work
from benchmarks.subjects import MOMENTUM, RATE, Convolution, Network
from benchmarks.torch_twin import TorchTwin, copy_weights, fold
from xception_np import threads


def training(network: Network, setting: str) -> Work:
    """One step."""
    twin, x, labels = _twin(network)
    optimizer = torch.optim.SGD(twin.parameters(), RATE, MOMENTUM)
    forward = torch.compile(twin) if setting == "compiled" else twin
    pictures, classes = torch.from_numpy(x), torch.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(pictures), classes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return Work(step, lambda loss: [np.array([loss])])


def inference(network: Network, setting: str) -> Work:
    """Logits."""
    twin, x, _ = _twin(network)
    fold(twin.eval())
    forward = torch.compile(twin, options={"freezing": True}) if setting == "compiled" else twin
    pictures = torch.from_numpy(x)

    def logits():
        with torch.inference_mode() if setting == "eager" else torch.no_grad():
            return forward(pictures)

    return Work(logits, lambda logits: [logits.numpy()])


def convolution(convolution: Convolution, setting: str) -> Work:
    """Both passes."""
    torch.set_num_threads(threads.count())
    order = torch.contiguous_format if setting == "channels_first" else torch.channels_last
    x, weight, dy = convolution.build()
    x, dy = (torch.from_numpy(array).permute(0, 3, 1, 2).contiguous(memory_format=order) for array in (x, dy))
    weight = torch.from_numpy(weight).permute(3, 2, 0, 1).contiguous(memory_format=order)
    x.requires_grad_()
    weight.requires_grad_()

    def passes():
        y = F.conv2d(x, weight, padding=1, groups=convolution.segments)
        return y, *torch.autograd.grad(y, (x, weight), dy)

    def arrays(result):
        y, dx, dweight = (tensor.detach() for tensor in result)
        return [y.permute(0, 2, 3, 1).numpy(), dx.permute(0, 2, 3, 1).numpy(), dweight.permute(2, 3, 1, 0).numpy()]

    return Work(passes, arrays)


def _twin(network: Network):
    torch.set_num_threads(threads.count())
    model, x, labels = network.build()
    twin = TorchTwin(model.table, model.classes).to(memory_format=torch.channels_last)
    copy_weights(model, twin)
    return twin, x, labels

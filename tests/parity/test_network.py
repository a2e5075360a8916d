import pytest

pytest.importorskip("torch", reason="parity with PyTorch needs torch: pip install 'xception-np[parity]'")

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.torch_twin import TorchTwin, copy_weights, in_torch_layout
from xception_np import implementations, models, ops
from xception_np.check.comparison import compare, require_all
from xception_np.check.draw import Draw
from xception_np.layers import Step
from xception_np.training import Settings, optimizers
from xception_np.training.descent import descend
from xception_np.training.parallel import Alone

pytestmark = pytest.mark.parity
EVERY_SMALL_ONE = pytest.mark.parametrize(
    ("implementation", "size"),
    [(name, size) for name in implementations.ON_NUMPY for size in (32, 27)],  # 27, 14, 7, 4: odd and even under the pools
)

BUDGET = 1e-9  # rounding, 1e-16 to 1e-15 an operation, through some 70 operations there and back, enlarged by the normalisations
IMAGES, SMOOTHING = 3, 0.1


def networks(size, name="xception_small"):
    """Ours with random numbers in every parameter and statistic, its twin, pictures and labels."""
    draw = Draw(f"network {size}")
    model = models.build(name, dtype=np.float64)
    model.buffers.values[...] += 0.1 * draw.normal(model.buffers.values.size)
    model.buffers.moving[...] = 0.5 + draw.uniform(model.buffers.moving.size)
    twin = TorchTwin(model.table, model.classes).to(torch.float64, memory_format=torch.channels_last)
    copy_weights(model, twin)
    return model, twin, draw.normal(IMAGES, size, size, 3), draw.labels(IMAGES, model.classes)


@EVERY_SMALL_ONE
def test_a_training_step(size, implementation):
    model, twin, x, labels = networks(size)
    with implementations.use(implementation):
        logits, cache = model.forward(x, Step())
        loss, loss_cache = ops.softmax_cross_entropy.forward(logits, labels, SMOOTHING)
        model.backward(ops.softmax_cross_entropy.backward(1.0, loss_cache), cache)

    twin.train()
    torch_logits = twin(torch.tensor(x))
    torch_loss = F.cross_entropy(torch_logits, torch.tensor(labels), label_smoothing=SMOOTHING)
    torch_loss.backward()

    found = [
        compare(logits, torch_logits.detach().numpy(), BUDGET, "logits"),
        compare(loss, torch_loss.item(), BUDGET, "loss"),
    ]
    for parameter, tensor in zip(model.parameters, twin.parameters(), strict=True):
        gradient = in_torch_layout(parameter, parameter.gradient)
        found.append(compare(gradient, tensor.grad.numpy(), BUDGET, f"gradient of {parameter.name}"))
    norms = [module for module in twin.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for mean, norm in zip(model.moving[::2], norms, strict=True):  # PyTorch's variances are n / (n - 1) of Keras's and ours
        found.append(compare(mean.value, norm.running_mean.numpy(), BUDGET, mean.name))
    require_all(found)


@EVERY_SMALL_ONE
def test_inference(size, implementation):
    model, twin, x, _ = networks(size)
    with implementations.use(implementation):
        logits, _ = model.forward(x)
    with torch.inference_mode():
        torch_logits = twin.eval()(torch.tensor(x))
    compare(logits, torch_logits.numpy(), BUDGET, "logits").require()


# Rounding grows from step to step; without residual connections, and where statistics are of few numbers, a hundredfold.
PUBLISHED = [
    ("xception", 71, 4, 10),
    ("inception_v3", 139, 4, 4),
    ("xception_small:no-residual,relu", 32, 3, 4),
    ("xception_small:segments=4", 32, 3, 10),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "images", "steps"), PUBLISHED)
def test_gradients_and_steps_of_a_whole_network(name, size, images, steps):
    """Every parameter's gradient, and the losses of some steps with momentum and weight decay, in float64 and to 1e-6 at least."""
    draw = Draw(f"steps of {name}")
    model = models.build(name, classes=20, dtype=np.float64)
    twin = TorchTwin(model.table, model.classes).to(torch.float64, memory_format=torch.channels_last)
    copy_weights(model, twin)
    x, labels = draw.normal(images, size, size, 3), draw.labels(images, model.classes)
    settings = Settings(batch=images, momentum=0.9, weight_decay=1e-4, label_smoothing=SMOOTHING)
    optimizer = optimizers.of(settings, model)
    decayed, others = [], []
    for parameter, tensor in zip(model.parameters, twin.parameters(), strict=True):
        (decayed if parameter.name.endswith("kernel") else others).append(tensor)
    groups = [{"params": decayed, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}]
    theirs = torch.optim.SGD(groups, lr=0.01, momentum=0.9)

    twin.train()
    found, losses, alone = [], [], Alone()
    alone.begin(model.buffers, lambda: 0.0, lambda: False)
    for number in range(steps):
        loss = descend(model, optimizer, settings, x, labels, Step(0, number), 0.01, alone).loss
        theirs.zero_grad()
        torch_loss = F.cross_entropy(twin(torch.tensor(x)), torch.tensor(labels), label_smoothing=SMOOTHING)
        torch_loss.backward()
        if number == 0:
            for parameter, tensor in zip(model.parameters, twin.parameters(), strict=True):
                gradient = in_torch_layout(parameter, parameter.gradient)
                found.append(compare(gradient, tensor.grad.numpy(), 1e-6, f"gradient of {parameter.name}"))
        theirs.step()
        losses.append((loss, torch_loss.item()))
    ours, expected = np.array(losses).T
    found.append(compare(ours, expected, 1e-6, "losses"))
    assert np.ptp(expected) > 0.1  # something was learnt
    require_all(found)

"""The Xception that PyTorch's users have: state dictionaries in and out of timm's `legacy_xception`."""

from importlib.util import find_spec

import pytest

pytest.importorskip("torch", reason="parity with timm needs torch: pip install 'xception-np[parity]'")
if find_spec("timm") is None:
    pytest.skip("parity with timm needs timm: pip install 'xception-np[parity]'", allow_module_level=True)

import numpy as np
import torch
from importing_timm import timm
from safetensors.torch import load_file, save_file

from xception_np import models, weights

pytestmark = [pytest.mark.parity, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

BUDGET = 1e-4  # of the largest logit: float32 through some 100 layers, in another order of sums


@pytest.fixture(scope="module")
def theirs():
    """timm's network with random weights, and batch-norm statistics from a forward pass."""
    torch.manual_seed(0)
    model = timm.create_model("legacy_xception", pretrained=False)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.3)
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.tensor(pictures(8, 150)).permute(0, 3, 1, 2))
    return model.eval()


def pictures(count, size):
    return np.random.default_rng(count).standard_normal((count, size, size, 3)).astype(np.float32)


def answers(model, x):
    with torch.inference_mode():
        return model(torch.tensor(x).permute(0, 3, 1, 2)).numpy()


@pytest.mark.parametrize("size", [299, 224, 150])
def test_the_same_logits(theirs, size, tmp_path):
    """With their epsilon, and pools padded by one pixel on every side."""
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = models.build("legacy_xception")
    weights.load(ours, tmp_path / "theirs.safetensors")
    x = pictures(2, size)
    expected = answers(theirs, x)
    assert expected.std() > 0.01
    np.testing.assert_allclose(ours.predict(x), expected, rtol=0, atol=BUDGET * np.abs(expected).max())


def test_timm_loads_what_we_write(theirs, tmp_path):
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = models.build("legacy_xception")
    weights.load(ours, tmp_path / "theirs.safetensors")
    weights.save(ours, tmp_path / "ours.safetensors", "timm")
    other = timm.create_model("legacy_xception", pretrained=False)
    other.load_state_dict(load_file(tmp_path / "ours.safetensors"), strict=True)
    for name, tensor in theirs.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(other.state_dict()[name], tensor)
    x = pictures(1, 150)
    np.testing.assert_allclose(answers(other.eval(), x), answers(theirs, x), rtol=1e-4, atol=1e-5)

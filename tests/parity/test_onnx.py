"""Our networks as ONNX graphs, run by ONNX Runtime: what is folded, fused and laid out by others gives our logits."""

import pytest

pytest.importorskip("onnx", reason="parity with ONNX Runtime needs onnx: pip install 'xception-np[parity]'")
pytest.importorskip("onnxruntime", reason="parity with ONNX Runtime needs onnxruntime: pip install 'xception-np[parity]'")

import numpy as np
import onnxruntime

from benchmarks.onnx_twin import onnx_twin
from xception_np import models
from xception_np.check.comparison import compare
from xception_np.check.draw import Draw
from xception_np.models import folding

pytestmark = pytest.mark.parity
BUDGET = 1e-5  # float32 rounding, 6e-8 an operation, through some 70 operations, in another order of sums


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("xception_small", 32),
        ("xception_small", 27),
        ("xception_small:segments=4", 32),
        ("xception_small:elu", 32),
        pytest.param("inception_v3", 75, marks=pytest.mark.slow),
        pytest.param("xception", 71, marks=pytest.mark.slow),
    ],
)
def test_logits(name, size):
    draw = Draw(f"onnx {name}")
    model = models.build(name, classes=10)
    model.buffers.moving[...] = 0.5 + draw.uniform(model.buffers.moving.size)
    x = draw.normal(2, size, size, 3).astype(np.float32)
    twin = onnx_twin(folding.folded(model), x.shape).SerializeToString()
    session = onnxruntime.InferenceSession(twin, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    compare(model.predict(x), logits, BUDGET, "logits").require()

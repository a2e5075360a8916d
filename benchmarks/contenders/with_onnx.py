"""The engines that are built for inference, ONNX Runtime and OpenVINO, on one ONNX file."""

import numpy as np

from benchmarks.in_turn import Work
from benchmarks.onnx_twin import onnx_twin
from benchmarks.subjects import Network
from xception_np import threads
from xception_np.models import folding


def inference(network: Network, setting: str) -> Work:
    """Logits; the pictures lie as the engine wants them."""
    model, x, _ = network.build()
    twin = onnx_twin(folding.folded(model), x.shape)
    pictures = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    logits = {"onnxruntime": _onnxruntime, "openvino": _openvino}[setting](twin.SerializeToString(), pictures)
    return Work(logits, lambda logits: [logits])


def _onnxruntime(twin: bytes, pictures: np.ndarray):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.count()
    session = onnxruntime.InferenceSession(twin, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": pictures})[0]


def _openvino(twin: bytes, pictures: np.ndarray):
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads.count(), "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(twin), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda: request.infer({0: pictures}, share_inputs=True, share_outputs=True)[0]

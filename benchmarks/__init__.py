"""Ours beside PyTorch, Keras, ONNX Runtime and OpenVINO, each in its own process, asked in turn: `python -m benchmarks --help`."""

"""Keras on TensorFlow: as a graph, and compiled by XLA as another contender."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

from benchmarks.in_turn import Work
from benchmarks.keras_twin import keras_twin
from benchmarks.subjects import MOMENTUM, RATE, Network
from xception_np import threads, weights


def training(network: Network, setting: str) -> Work:
    """One step."""
    twin, x, labels = _twin(network)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(keras.optimizers.SGD(RATE, MOMENTUM), loss, jit_compile=setting == "xla")
    pictures, classes = tf.constant(x), tf.constant(labels)
    return Work(lambda: twin.train_on_batch(pictures, classes), lambda loss: [np.array([loss])])


def inference(network: Network, setting: str) -> Work:
    """Logits."""
    twin, x, _ = _twin(network)
    forward = tf.function(lambda x: twin(x, training=False), jit_compile=setting == "xla")
    pictures = tf.constant(x)
    return Work(lambda: forward(pictures).numpy(), lambda logits: [logits])


def _twin(network: Network):
    tf.config.threading.set_intra_op_parallelism_threads(threads.count())
    model, x, labels = network.build()
    twin = keras_twin(model, (network.size, network.size, 3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "twin.weights.h5"
        weights.save(model, path)
        twin.load_weights(path)
    return twin, x, labels

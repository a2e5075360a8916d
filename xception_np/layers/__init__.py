"""Layers: hold parameters, call operations, and pass gradients on."""

from xception_np.layers.base import Layer, Row, Step
from xception_np.layers.batch_norm import BatchNorm
from xception_np.layers.bias import Bias
from xception_np.layers.biased import Biased
from xception_np.layers.containers import Branches, Chain, Residual
from xception_np.layers.conv import Conv, GroupedConv
from xception_np.layers.dense import Dense
from xception_np.layers.halves import DepthwiseConv, PointwiseConv
from xception_np.layers.joined import Joined
from xception_np.layers.norm_separable import NormSeparable
from xception_np.layers.parameter import Buffers, Parameter, allocate, bind
from xception_np.layers.rectifiable import Rectifiable
from xception_np.layers.relu_separable import ReluSeparable
from xception_np.layers.separable_conv import SeparableConv
from xception_np.layers.simple import ELU, AvgPool, Dropout, Flatten, GlobalAvgPool, MaxPool, ReLU
from xception_np.layers.walking import in_one_pass, leaves, rebuilt, visits

__all__ = [
    "ELU",
    "AvgPool",
    "BatchNorm",
    "Bias",
    "Biased",
    "Branches",
    "Buffers",
    "Chain",
    "Conv",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "GroupedConv",
    "Joined",
    "Layer",
    "MaxPool",
    "NormSeparable",
    "Parameter",
    "PointwiseConv",
    "ReLU",
    "Rectifiable",
    "ReluSeparable",
    "Residual",
    "Row",
    "SeparableConv",
    "Step",
    "allocate",
    "bind",
    "in_one_pass",
    "leaves",
    "rebuilt",
    "visits",
]

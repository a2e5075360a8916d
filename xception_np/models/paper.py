"""The paper's own results, as published: its Tables 1 to 3. Nothing here was measured by this project."""

from typing import NamedTuple

SOURCE = "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, arXiv 1610.02357v3"


class Result(NamedTuple):
    """A line of a table: what it is of, and its numbers in the order of the table's columns."""

    name: str
    numbers: tuple[float, ...]


class Results(NamedTuple):
    """A table of results.

    title : what was measured, on what
    columns : what the numbers are
    """

    title: str
    columns: tuple[str, ...]
    results: tuple[Result, ...]


TABLE_1 = Results(
    "Table 1: ImageNet, validation set, single crop, single model",
    ("top-1 accuracy", "top-5 accuracy"),
    (
        Result("VGG-16", (0.715, 0.901)),
        Result("ResNet-152", (0.770, 0.933)),
        Result("Inception V3", (0.782, 0.941)),
        Result("Xception", (0.790, 0.945)),
    ),
)
TABLE_2 = Results(
    "Table 2: JFT, FastEval14k",
    ("MAP@100",),
    (
        Result("Inception V3, no fully connected layers", (6.36,)),
        Result("Xception, no fully connected layers", (6.70,)),
        Result("Inception V3, with fully connected layers", (6.50,)),
        Result("Xception, with fully connected layers", (6.78,)),
    ),
)
TABLE_3 = Results(
    "Table 3: size and training speed on ImageNet, 60 NVIDIA K80",
    ("parameters", "steps a second"),
    (
        Result("Inception V3", (23_626_728, 31)),
        Result("Xception", (22_855_952, 28)),
    ),
)
TABLES = (TABLE_1, TABLE_2, TABLE_3)

"""The figures: what is trained, with which settings, and what is the same for all of it."""

from typing import NamedTuple

from experiments import networks
from xception_np import models
from xception_np.models.table import Table
from xception_np.training import Settings

SEEDS = (0, 1, 2)
CIFAR, GLYPHS = "cifar10", "glyphs"
SEGMENTS = (1, 2, 4, 8, None)  # None: one a channel, depthwise
JOINT = (0.0, 1.0, 0.5, 0.25, 0.75)  # the ends first
STEM = 4  # channels into the spatial convolution of the glyphs' networks

CIFAR_SETTINGS = Settings(epochs=5, batch=128, rate=0.2, nesterov=True, weight_decay=3e-4, warmup=0.2, schedule="cosine")
GLYPHS_SETTINGS = Settings(epochs=12, batch=64, rate=0.1, nesterov=True, warmup=0.1, schedule="cosine")


class Point(NamedTuple):
    """A network to be trained, once for every seed.

    line, x : where its accuracy is drawn: the name of a line or a bar, and the place along it
    table : the network
    data : the name of the data set
    settings : all but the seed
    """

    line: str
    x: float | None
    table: Table
    data: str
    settings: Settings

    @property
    def name(self) -> str:
        """Of this point in its figure."""
        return self.line if self.x is None else f"{self.line}, {self.x:g}"


def spectrum() -> list[Point]:
    """Accuracy over S, at equal parameters and at equal multiply-adds; the depthwise end is the same network in both."""
    found = []
    for of, line in (("parameters", "equal parameters"), ("macs", "equal multiply-adds")):
        for segments in SEGMENTS:
            widths = networks.equal(segments, of)
            found.append(_cifar(line, segments or widths.entry, networks.separable(widths, segments)))
    return found


def ablations() -> list[Point]:
    """Sections 4.6 and 4.7: without residual connections; with an activation between depthwise and pointwise."""
    base = networks.separable(networks.BASE)
    changes = ("no-residual", "relu", "elu")
    return [_cifar("xception", None, base), *(_cifar(change, None, models.ablations.changed(base, change)) for change in changes)]


def modules() -> list[Point]:
    """Xception's modules against Inception's, at equal parameters."""
    base = networks.separable(networks.BASE)
    return [
        _cifar("xception", None, base),
        _cifar("inception", None, networks.equal_inception()),
    ]


def joint() -> list[Point]:
    """Accuracy over joint dependence, at equal parameters: 4 channels for all, and a depthwise convolution of 8."""
    lines = {f"{STEM} channels, S={segments}": networks.equal_filters(STEM, segments) for segments in (1, 2, STEM)}
    lines[f"{2 * STEM} channels, S={2 * STEM}"] = networks.equal_filters(2 * STEM, 2 * STEM)
    return [_glyphs(line, knob, table) for knob in JOINT for line, table in lines.items()]


FIGURES = {"joint": joint, "ablations": ablations, "modules": modules, "spectrum": spectrum}


def _cifar(line: str, x: float | None, table: Table) -> Point:
    return Point(line, x, table, CIFAR, CIFAR_SETTINGS)


def _glyphs(line: str, knob: float, table: Table) -> Point:
    return Point(line, knob, table, f"{GLYPHS}:{knob:g}", GLYPHS_SETTINGS)

"""The README's picture, which is one of notebook 4's.

python notebooks/figures/draw.py
"""

from pathlib import Path

from xception_np import cost, models, show

NETWORKS = {"Xception": "xception", "Inception V3": "inception_v3", "VGG-16": "vgg16"}

lines = {
    name: cost.count(models.outline(table), cost.pictures_shape(table))
    for name, table in ((name, models.find(key)) for name, key in NETWORKS.items())
}
figure = show.treemap(lines, ("parameters", "macs"), "Where the parameters and the multiply-adds of one picture are")
figure.savefig(Path(__file__).parent / "where_it_goes.png", dpi=75, pil_kwargs={"optimize": True})

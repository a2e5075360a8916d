"""What a network costs: counted, predicted from three numbers of a machine, and measured.

    net = models.outline(models.find("xception"))       # no memory for 22.9 million parameters
    lines = cost.count(net, (1, 299, 299, 3))           # a line an operation: parameters, multiply-adds, bytes moved and kept
    cost.total(lines).macs                              # 8,357,403,496
    machine, measured = cost.in_turn(models.build("xception"), (1, 299, 299, 3))
    predicted = cost.predict(lines, machine)            # seconds by name, as the measured ones: the roofline
    cost.rows(lines, "kind", predicted, measured)       # added up by kind of layer
    cost.at_least(lines, cost.GPUS["H100 SXM"])         # seconds by name of what is counted, at least: the roofline of a data sheet
    cost.spectrum((1, 19, 19, 728))                     # one module, at every number of segments

Costs are in multiply-adds (MACs), not in operations, of which one is two; bytes are those of float32.
"""

from xception_np.cost.counting import Line, count, pictures_shape, total
from xception_np.cost.gpus import GPU, GPUS, at_least
from xception_np.cost.measuring import measure
from xception_np.cost.roofline import Machine, predict
from xception_np.cost.spectrum import Point, connections, spectrum
from xception_np.cost.tabulating import BY, Row, rows, together
from xception_np.cost.timing import in_turn, time_layers, time_network

__all__ = [
    "BY",
    "GPU",
    "GPUS",
    "Line",
    "Machine",
    "Point",
    "Row",
    "at_least",
    "connections",
    "count",
    "in_turn",
    "measure",
    "pictures_shape",
    "predict",
    "rows",
    "spectrum",
    "time_layers",
    "time_network",
    "together",
    "total",
]

"""What kernels lose when they have to be of low rank."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from xception_np.show.style import looks, styled


def rank_errors(errors: Mapping[str, Sequence[float]], title: str) -> Figure:
    """The part of a kernel that is lost, over its rank, a line for each kernel.

    Parameters
    ----------
    errors : parts, 0 to 1, of ranks 1, 2, ... by the name of a kernel
    title : str
    """
    with styled():
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        axes = figure.subplots()
        for (name, parts), (colour, marker) in zip(errors.items(), looks(), strict=False):
            axes.plot(range(1, len(parts) + 1), [100 * part for part in parts], marker + "-", color=colour, label=name)
        axes.set_xticks(range(1, max(map(len, errors.values())) + 1))
        axes.set_xlabel("rank of every channel = depth multiplier M")
        axes.set_ylabel("lost (% of the kernel's norm)")
        axes.set_ylim(bottom=-2)
        axes.legend()
        axes.set_title(title, fontsize=12)
    return figure

"""The 1,000 classes of ImageNet's challenge, in the order in which published networks have them.

    imagenet.WORDNET[207], imagenet.CLASSES[207]        n02099601, golden_retriever

Two names stand for two classes each, crane (the bird, and the machine) and maillot; there the WordNet number is part of the name.
"""

from collections import Counter
from pathlib import Path


def _read() -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = [line.split() for line in Path(__file__).with_name("imagenet_classes.txt").read_text().splitlines()]
    counts = Counter(name for _, name in lines)
    names = tuple(name if counts[name] == 1 else f"{name} ({number})" for number, name in lines)
    return tuple(number for number, _ in lines), names


WORDNET, CLASSES = _read()

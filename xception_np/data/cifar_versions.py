"""What the binary versions of CIFAR-10 and CIFAR-100 consist of, as published on https://www.cs.toronto.edu/~kriz/cifar.html."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

ADDRESS = "https://www.cs.toronto.edu/~kriz"
SIZE = 32
PIXELS = 3 * SIZE * SIZE  # bytes of a picture


class Member(NamedTuple):
    """What a file must be: how many records, and the SHA-1 of all its bytes, if that is known."""

    records: int
    sha1: str | None = None


class Label(NamedTuple):
    """A byte of a record: what it is called, and how many values it has."""

    what: str
    values: int


@dataclass(frozen=True)
class Version:
    """One of the two data sets.

    Attributes
    ----------
    name, title : str
        What we and its authors call it.
    labels : tuple of Label
        The bytes before the pixels of a record; the last one is what we learn.
    classes : tuple of str
        What the last label means.
    members : {file name: Member}
        The last one is held out.
    folder, archive, md5 : str
        What the files lie in, the published archive and its checksum.
    pickled_folder, pickled : str, tuple of str
        The Python version's folder, and its files.
    """

    name: str
    title: str
    labels: tuple[Label, ...]
    classes: tuple[str, ...]
    members: Mapping[str, Member]
    folder: str
    archive: str
    md5: str
    pickled_folder: str
    pickled: tuple[str, ...]

    @property
    def record(self) -> int:
        """Bytes of a record."""
        return len(self.labels) + PIXELS


CIFAR10 = Version(
    name="cifar10",
    title="CIFAR-10",
    labels=(Label("label", 10),),
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    members={
        "data_batch_1.bin": Member(10_000, "aadd24acce27caa71bf4b10992e9e7b2d74c2540"),
        "data_batch_2.bin": Member(10_000, "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795"),
        "data_batch_3.bin": Member(10_000, "1dd00a74ab1d17a6e7d73e185b69dbf31242f295"),
        "data_batch_4.bin": Member(10_000, "aab85764eb3584312d3c7f65fd2fd016e36a258e"),
        "data_batch_5.bin": Member(10_000, "26e2849e66a845b7f1e4614ae70f4889ae604628"),
        "test_batch.bin": Member(10_000, "67eb016db431130d61cd03c7ad570b013799c88c"),
    },
    folder="cifar-10-batches-bin",
    archive="cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    pickled_folder="cifar-10-batches-py",
    pickled=("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"),
)

_FINE = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar
cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl
hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road
rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

CIFAR100 = Version(
    name="cifar100",
    title="CIFAR-100",
    labels=(Label("coarse label", 20), Label("fine label", 100)),
    classes=tuple(_FINE.split()),
    members={"train.bin": Member(50_000), "test.bin": Member(10_000)},
    folder="cifar-100-binary",
    archive="cifar-100-binary.tar.gz",
    md5="03b5dce01913d631647c71ecec9e9cb8",
    pickled_folder="cifar-100-python",
    pickled=("train", "test"),
)

VERSIONS = (CIFAR10, CIFAR100)

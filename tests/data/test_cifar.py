import dataclasses
import hashlib
import io
import os
import tarfile

import numpy as np
import pytest

from xception_np import data
from xception_np.data import cifar
from xception_np.data.cifar_versions import CIFAR10, CIFAR100, Member
from xception_np.errors import InputError

FOLDER = "cifar-10-batches-bin"
SUFFIXES = {"": "w", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}


def make_file(seed, records, labels=None):
    """A file of random pictures, and what must be read from it."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, records) if labels is None else np.array(labels)
    planes = generator.integers(0, 256, (records, 3, 32, 32), np.uint8)  # channels first
    content = b"".join(bytes([label]) + plane.tobytes() for label, plane in zip(labels, planes, strict=True))
    return content, np.moveaxis(planes, 1, 3), labels


def table(files):
    """CIFAR-10, if these had been its files."""
    members = {name: Member(len(content) // 3073, hashlib.sha1(content).hexdigest()) for name, content in files.items()}
    return [dataclasses.replace(CIFAR10, members=members)]


def write_archive(path, entries, mode="w", **options):
    """Write a tar archive of (name, content) pairs and TarInfo objects."""
    with tarfile.open(path, mode, **options) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return path


def in_folder(files):
    return [(f"{FOLDER}/{name}", content) for name, content in files.items()]


def write_directory(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def made():
    return {
        name: make_file(seed, records)
        for seed, (name, records) in enumerate({"data_batch_1.bin": 3, "data_batch_2.bin": 2, "test_batch.bin": 4}.items())
    }


@pytest.fixture(scope="module")
def files(made):
    return {name: content for name, (content, _, _) in made.items()}


def check(split, made):
    _, images1, labels1 = made["data_batch_1.bin"]
    _, images2, labels2 = made["data_batch_2.bin"]
    _, images, labels = made["test_batch.bin"]
    np.testing.assert_array_equal(split.train.images, np.concatenate([images1, images2]))
    np.testing.assert_array_equal(split.train.labels, np.concatenate([labels1, labels2]))
    np.testing.assert_array_equal(split.test.images, images)
    np.testing.assert_array_equal(split.test.labels, labels)
    assert split.train.name == split.test.name == "cifar10"
    assert split.train.classes[0] == "airplane" and split.train.classes[9] == "truck" and len(split.train.classes) == 10


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_archive(tmp_path, made, files, suffix):
    path = write_archive(tmp_path / f"cifar.tar{suffix}", in_folder(files), SUFFIXES[suffix])
    check(cifar.load(path, table(files)), made)


def test_archive_in_another_order_with_a_dot_or_without_a_folder(tmp_path, made, files):
    entries = [(f"./{name}", content) for name, content in reversed(in_folder(files))]
    check(cifar.load(write_archive(tmp_path / "a.tar", entries), table(files)), made)
    check(cifar.load(write_archive(tmp_path / "b.tar", files.items()), table(files)), made)


def test_directory_and_the_directory_above(tmp_path, made, files):
    folder = write_directory(tmp_path / FOLDER, files)
    check(cifar.load(folder, table(files)), made)
    check(cifar.load(str(tmp_path), table(files)), made)


def test_nothing_is_extracted(tmp_path, files, monkeypatch):
    path = write_archive(tmp_path / "cifar.tar.gz", in_folder(files), "w:gz")
    monkeypatch.chdir(tmp_path)
    cifar.load(path, table(files))
    assert os.listdir(tmp_path) == ["cifar.tar.gz"]


def test_one_pixel_by_hand(tmp_path):
    record = bytearray(3073)
    record[0] = 7
    record[1 + 32 * 2 + 5], record[1 + 1024 + 32 * 2 + 5], record[1 + 2048 + 32 * 2 + 5] = 10, 20, 30  # row 2, column 5
    contents = {"data_batch_1.bin": bytes(record), "test_batch.bin": bytes(3073)}
    split = cifar.load(write_archive(tmp_path / "a.tar", in_folder(contents)), table(contents))
    assert split.train.labels.tolist() == [7]
    assert split.train.images[0, 2, 5].tolist() == [10, 20, 30]
    assert split.train.images.sum() == 60


def test_other_members_and_links_are_ignored(tmp_path, made, files):
    link = tarfile.TarInfo(f"{FOLDER}/data_batch_1.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    wrong = b"wrong"
    decoys = [link, (f"/{FOLDER}/data_batch_1.bin", wrong), ("../data_batch_1.bin", wrong), ("old/data_batch_1.bin", wrong)]
    path = write_archive(tmp_path / "a.tar", [*decoys, (f"{FOLDER}/readme.html", wrong), *in_folder(files)])
    check(cifar.load(path, table(files)), made)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_not_a_file_is_missing(tmp_path, files, kind):
    entry = tarfile.TarInfo(f"{FOLDER}/data_batch_1.bin")
    entry.type, entry.linkname = kind, f"{FOLDER}/data_batch_2.bin"
    rest = [pair for pair in in_folder(files) if "data_batch_1" not in pair[0]]
    path = write_archive(tmp_path / "a.tar", [*rest, entry])
    with pytest.raises(InputError, match=r"a\.tar has no data_batch_1\.bin; expected all files"):
        cifar.load(path, table(files))


def test_wrong_sum(tmp_path, files):
    altered = bytearray(files["data_batch_2.bin"])
    altered[100] ^= 1
    found, expected = hashlib.sha1(altered).hexdigest(), table(files)[0].members["data_batch_2.bin"].sha1
    path = write_archive(tmp_path / "a.tar", in_folder(files | {"data_batch_2.bin": bytes(altered)}))
    with pytest.raises(InputError, match=rf"a\.tar: data_batch_2\.bin has SHA-1 {found}; expected {expected}: .*cifar-10-binary"):
        cifar.load(path, table(files))


@pytest.mark.parametrize("kind", ["archive", "directory"])
@pytest.mark.parametrize("change", [-1, 1, 3073])
def test_wrong_size_is_seen_before_the_sum(tmp_path, files, kind, change):
    size = 4 * 3073 + change
    contents = files | {"test_batch.bin": bytes(size)}
    path = tmp_path / "a"
    if kind == "archive":
        write_archive(path, in_folder(contents))
    else:
        write_directory(path / FOLDER, contents)
    with pytest.raises(InputError, match=rf"test_batch\.bin has {size} bytes; expected 12292, 4 records of 3073 bytes: get "):
        cifar.load(path, table(files))


def test_label_above_nine(tmp_path, files):
    contents = files | {"data_batch_1.bin": make_file(0, 3, labels=[1, 200, 9])[0]}
    path = write_archive(tmp_path / "a.tar", in_folder(contents))
    with pytest.raises(InputError, match=r"a\.tar: data_batch_1\.bin has label 200 in record 1; expected 0 to 9: get "):
        cifar.load(path, table(contents))


def test_missing_files_are_named(tmp_path, files):
    names = ["data_batch_2.bin", "test_batch.bin"]
    contents = {name: content for name, content in files.items() if name not in names}
    message = r"has no data_batch_2\.bin, test_batch\.bin; expected all files of CIFAR-10's binary version: get cifar-10-binary"
    with pytest.raises(InputError, match=message):
        cifar.load(write_archive(tmp_path / "a.tar", in_folder(contents)), table(files))
    with pytest.raises(InputError, match=message):
        cifar.load(write_directory(tmp_path / FOLDER, contents), table(files))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_truncation_is_an_input_error(tmp_path, files, suffix):
    """Whatever is lost, the answer is one sentence; what is lost behind the last file does no harm."""
    whole = write_archive(tmp_path / "whole", in_folder(files), SUFFIXES[suffix]).read_bytes()
    path = tmp_path / "cut"
    for length in range(0, len(whole) * 2 // 3, 509):  # from within a header to within the last file
        path.write_bytes(whole[:length])
        with pytest.raises(
            InputError, match=r"cut (cannot be read|is not a tar archive|has no(ne of)? .*test_batch)[^\n]*: get cifar"
        ):
            cifar.load(path, table(files))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE])
@pytest.mark.parametrize("place", ["first", "later"])
def test_what_a_header_announces_is_bounded_before_it_is_read(tmp_path, files, kind, place):
    hostile = tarfile.TarInfo("name")
    hostile.type, hostile.size = kind, 2**32
    before = write_archive(tmp_path / "a.tar", [("README", b"text")]).read_bytes()[:1024] if place == "later" else b""
    (tmp_path / "hostile.tar").write_bytes(before + hostile.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(InputError, match=r"hostile\.tar cannot be read \(a member has 4294967296 bytes, more than"):
        cifar.load(tmp_path / "hostile.tar", table(files))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_altered_byte_is_an_input_error_or_harmless(tmp_path, made, files, suffix):
    whole = write_archive(tmp_path / "whole", in_folder(files), SUFFIXES[suffix]).read_bytes()
    path, errors = tmp_path / "altered", 0
    for position in range(0, len(whole), 251):
        altered = bytearray(whole)
        altered[position] ^= 0xFF
        path.write_bytes(altered)
        try:
            split = cifar.load(path, table(files))
        except InputError as error:
            errors += 1
            assert "\n" not in str(error)
        else:
            check(split, made)
    assert errors > 50


def test_damage_far_into_an_archive(tmp_path):
    """bzip2 checks blocks of at least 100 kB one by one, and calls a wrong one an error of the operating system."""
    content, _, _ = make_file(0, 100)
    contents = {"data_batch_1.bin": content, "test_batch.bin": bytes(3073)}
    path = write_archive(tmp_path / "a.tar.bz2", in_folder(contents), "w:bz2", compresslevel=1)
    altered = bytearray(path.read_bytes())
    altered[250_000] ^= 1
    path.write_bytes(altered)
    with pytest.raises(InputError, match=r"a\.tar\.bz2 cannot be read \(Invalid data stream\); expected a whole archive"):
        cifar.load(path, table(contents))


def test_python_version_is_refused(tmp_path, files):
    names = ["data_batch_1", "data_batch_2", "test_batch", "batches.meta"]
    message = r"is CIFAR-10's Python version, which is pickled and never read; expected the binary .* cifar-10-binary\.tar\.gz"
    entries = [(f"cifar-10-batches-py/{name}", b"\x80\x02}q\x01.") for name in names]
    with pytest.raises(InputError, match=message):
        cifar.load(write_archive(tmp_path / "cifar-10-python.tar.gz", entries, "w:gz"), table(files))
    folder = write_directory(tmp_path / "cifar-10-batches-py", dict.fromkeys(names, b"\x80\x02}q\x01."))
    for path in (folder, tmp_path):
        with pytest.raises(InputError, match=message):
            cifar.load(path, table(files))


def test_both_versions_in_one_directory(tmp_path, made, files):
    write_directory(tmp_path / "cifar-10-batches-py", {"data_batch_1": b"pickled"})
    write_directory(tmp_path / FOLDER, files)
    check(cifar.load(tmp_path, table(files)), made)


def test_not_an_archive(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_text("<html>404</html>")
    with pytest.raises(
        InputError, match=r"cifar-10-binary\.tar\.gz is not a tar archive; expected the binary version of CIFAR-10 or CIFAR-100"
    ):
        cifar.load(path)


def test_path_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist; expected the binary version of CIFAR-10 or CIFAR-100"):
        cifar.load(tmp_path / "nowhere")


@pytest.mark.parametrize("source", ["mnist", "/nowhere/cifar-10-binary.tar.gz"])
def test_load_names_what_exists(source):
    with pytest.raises(
        InputError,
        match=f"data is '{source}'; expected 'digits', 'glyphs', 'cifar10', 'cifar100', or the path of CIFAR's binary version",
    ):
        data.load(source)


def test_load_expects_the_published_files(tmp_path, files):
    path = write_archive(tmp_path / "a.tar", in_folder(files))
    with pytest.raises(InputError, match=r"data_batch_1\.bin has 9219 bytes; expected 30730000, 10000 records"):
        data.load(path)


@pytest.mark.data
def test_the_published_files():
    path = os.environ.get("XCEPTION_NP_CIFAR10")
    if not path:
        pytest.skip("XCEPTION_NP_CIFAR10 does not name CIFAR-10's binary version")
    train, test = data.load(path)
    assert train.images.shape == (50_000, 32, 32, 3) and test.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(train.labels).tolist() == [5000] * 10 and np.bincount(test.labels).tolist() == [1000] * 10
    preprocessing = data.Preprocessing.of(train)
    np.testing.assert_allclose(preprocessing.mean, [0.4914, 0.4822, 0.4465], atol=5e-5)
    np.testing.assert_allclose(preprocessing.std, [0.2470, 0.2435, 0.2616], atol=5e-5)


def make_fine_file(seed, records, coarse=None, fine=None):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 20, records) if coarse is None else coarse
    fine = generator.integers(0, 100, records) if fine is None else fine
    planes = generator.integers(0, 256, (records, 3, 32, 32), np.uint8)
    content = b"".join(bytes([c, f]) + plane.tobytes() for c, f, plane in zip(coarse, fine, planes, strict=True))
    return content, np.moveaxis(planes, 1, 3), np.array(fine)


def fine_versions(train, test):
    """Both data sets, if CIFAR-100 had so few records."""
    return [CIFAR10, dataclasses.replace(CIFAR100, members={"train.bin": Member(train), "test.bin": Member(test)})]


def test_hundred_classes(tmp_path):
    train, train_images, train_labels = make_fine_file(0, 5)
    test, test_images, test_labels = make_fine_file(1, 3)
    contents = {"train.bin": train, "test.bin": test}
    folder = write_directory(tmp_path / "cifar-100-binary", contents)
    entries = [(f"cifar-100-binary/{name}", content) for name, content in contents.items()]
    archive = write_archive(tmp_path / "a.tar.gz", [("cifar-100-binary/fine_label_names.txt", b"apple\n"), *entries], "w:gz")
    for path in (folder, tmp_path, archive):
        split = cifar.load(path, fine_versions(5, 3))
        np.testing.assert_array_equal(split.train.images, train_images)
        np.testing.assert_array_equal(split.train.labels, train_labels)
        np.testing.assert_array_equal(split.test.images, test_images)
        np.testing.assert_array_equal(split.test.labels, test_labels)
        assert split.train.name == "cifar100"
        classes = split.train.classes
        assert (len(classes), classes[0], classes[13], classes[99]) == (100, "apple", "bus", "worm")


@pytest.mark.parametrize(
    ("coarse", "fine", "message"),
    [
        ([0, 20], [0, 99], "coarse label 20 in record 1; expected 0 to 19: get cifar-100-binary"),
        ([0, 19], [100, 99], "fine label 100 in record 0; expected 0 to 99: get cifar-100-binary"),
    ],
)
def test_labels_of_a_hundred_classes_are_in_range(tmp_path, coarse, fine, message):
    contents = {"train.bin": make_fine_file(0, 2, coarse, fine)[0], "test.bin": make_fine_file(1, 1)[0]}
    with pytest.raises(InputError, match=rf"train\.bin has {message}"):
        cifar.load(write_directory(tmp_path / "cifar-100-binary", contents), fine_versions(2, 1))


def test_hundred_classes_of_another_size_are_refused(tmp_path):
    path = write_archive(tmp_path / "a.tar", [("cifar-100-binary/train.bin", bytes(3073 * 5))])
    with pytest.raises(InputError, match=r"train\.bin has 15365 bytes; expected 15370, 5 records of 3074 bytes: get cifar-100"):
        cifar.load(path, fine_versions(5, 3))
    with pytest.raises(InputError, match=r"train\.bin has 15365 bytes; expected 153700000, 50000 records"):
        cifar.load(path)


def test_python_version_of_a_hundred_classes_is_refused(tmp_path):
    message = r"is CIFAR-100's Python version, which is pickled and never read; expected the binary .* cifar-100-binary\.tar\.gz"
    entries = [(f"cifar-100-python/{name}", b"\x80\x02}q\x01.") for name in ("meta", "test", "train")]
    with pytest.raises(InputError, match=message):
        data.load(write_archive(tmp_path / "cifar-100-python.tar.gz", entries, "w:gz"))
    folder = write_directory(tmp_path / "cifar-100-python", dict.fromkeys(["meta", "test", "train"], b"\x80\x02}q\x01."))
    for path in (folder, tmp_path):
        with pytest.raises(InputError, match=message):
            data.load(path)


def test_a_directory_with_nothing_of_either(tmp_path):
    with pytest.raises(InputError, match=r"has none of data_batch_1\.bin.* or a folder of pictures, train/<class>/\*"):
        data.load(tmp_path)


def test_only_folders_of_pictures_have_a_choice_of_size():
    with pytest.raises(InputError, match="size is 64; expected 32, the size of the pictures of digits"):
        data.load("digits", size=64)
    assert data.load("digits", size=32).train.size == 32

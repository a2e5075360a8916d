"""Networks that are trained already: where they are, what belongs to them, and what is said when they are not there."""

import numpy as np
import pytest

from xception_np import data, models, training, weights
from xception_np.data import download, imagenet
from xception_np.errors import InputError
from xception_np.training import box, pretrained


def test_the_box():
    found = pretrained.find("box")
    assert (found.network, found.path, len(found.classes)) == ("xception_small", box.checkpoint(), 10)
    loaded = pretrained.load("box")
    assert loaded.classes == training.load(box.checkpoint()).classes


def test_a_checkpoint_says_what_it_is():
    assert pretrained.find(box.checkpoint(), "xception_small").network == "xception_small"
    with pytest.raises(InputError, match=r"model is 'xception', but .* holds a xception_small"):
        pretrained.find(box.checkpoint(), "xception")


@pytest.mark.slow
def test_published_weights_are_asked_for_by_address_and_checksum(monkeypatch, tmp_path):
    asked = []

    def fetch(address, md5):
        asked.append((address.rpartition("/")[2], md5))
        return tmp_path / "x.h5"

    monkeypatch.setattr(download, "fetch", fetch)
    weights.save(models.build("xception", seed=1), tmp_path / "x.h5")
    loaded = pretrained.load("imagenet")
    assert asked == [("xception_weights_tf_dim_ordering_tf_kernels.h5", "0a58e3b7378bc2990ea3b43d5981f1f6")]
    assert loaded.classes[207] == "golden_retriever"
    assert loaded.model.name == "xception"


def test_networks_without_published_weights(tmp_path):
    with pytest.raises(InputError, match="model is 'xception_small'; expected one of those with published weights"):
        pretrained.find("imagenet", "xception_small")
    with pytest.raises(InputError, match="weights are timm's; expected a file"):
        pretrained.find("imagenet", "legacy_xception")
    with pytest.raises(InputError, match="does not exist"):
        pretrained.load(tmp_path / "nowhere.h5")


def test_the_classes_of_imagenet():
    assert len(set(imagenet.CLASSES)) == len(set(imagenet.WORDNET)) == 1000
    assert imagenet.WORDNET[0] == "n01440764"
    assert imagenet.CLASSES[134] == "crane (n02012849)"


def test_published_preprocessing_of_pixels():
    """Xception's and Inception's pixels go from -1 to 1; VGG-16's are blue first, less the mean."""
    pixels = np.zeros((1, 299, 299, 3), np.uint8)
    pixels[0, 0, 0] = (255, 51, 0)
    x = pretrained.PUBLISHED["xception"].preprocessing.apply(pixels)
    np.testing.assert_allclose(x[0, 0, 0], (1, 51 / 127.5 - 1, -1), atol=1e-6)
    x = pretrained.PUBLISHED["vgg16"].preprocessing.apply(np.ascontiguousarray(pixels[:, :224, :224]))
    np.testing.assert_allclose(x[0, 0, 0], (0 - 103.939, 51 - 116.779, 255 - 123.68), rtol=1e-5)


def test_wrongly_prepared_pictures_get_a_warning():
    loaded = pretrained.load("box")
    preprocessing = loaded.preprocessing
    images = data.load("digits").test.images[:4]
    x = preprocessing.apply(images)
    assert preprocessing.doubt(x) is None
    np.testing.assert_array_equal(loaded.predict(images), loaded.predict(x))
    for wrong, said in (
        (images.astype(np.float32), "as if nothing had been done"),
        (images.astype(np.float32) / 255, "divided by 255 only"),
        ((x / 100).astype(np.float32), "prepared twice"),
        ((2 * x).astype(np.float32), "lie between"),
    ):
        with pytest.warns(UserWarning, match=said):
            loaded.predict(wrong)

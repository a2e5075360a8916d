"""Test-time augmentation: what each view shows, and that it stands beside the plain figure."""

import numpy as np
import pytest
from small_runs import stripes, tiny_model

from xception_np.data import Dataset, Preprocessing
from xception_np.errors import InputError
from xception_np.training import View, beside, evaluate
from xception_np.training.evaluation import softmax

ROW = np.arange(1.0, 5.0, dtype=np.float32)  # pixels 1 2 3 4
PICTURES = np.broadcast_to((10 * np.arange(3, dtype=np.float32)[:, None] + ROW)[:, :, None], (2, 3, 4, 3)).copy()


def first_channel(view):
    return view.apply(PICTURES)[1, :, :, 0].tolist()


def test_views_by_hand():
    assert first_channel(View()) == [[1, 2, 3, 4], [11, 12, 13, 14], [21, 22, 23, 24]]
    assert first_channel(View(mirrored=True)) == [[4, 3, 2, 1], [14, 13, 12, 11], [24, 23, 22, 21]]
    assert first_channel(View(down=1)) == [[1, 2, 3, 4], [1, 2, 3, 4], [11, 12, 13, 14]]
    assert first_channel(View(down=-2)) == [[21, 22, 23, 24]] * 3
    assert first_channel(View(right=1)) == [[1, 1, 2, 3], [11, 11, 12, 13], [21, 21, 22, 23]]
    assert first_channel(View(True, -1, -2)) == [[12, 11, 11, 11], [22, 21, 21, 21], [22, 21, 21, 21]]
    for view in (View(), View(True), View(False, 1, -1), View(True, 1, 1)):
        assert view.apply(PICTURES).flags.c_contiguous
    np.testing.assert_array_equal(PICTURES[0, 0, :, 0], ROW)


def test_views_say_what_they_are():
    assert [str(view) for view in (View(), View(True), View(True, -1, 2))] == ["as it is", "mirrored", "mirrored 1 up 2 right"]


def test_views_beside_the_picture():
    assert beside(False) == ()
    assert beside(True) == (View(True),)
    assert beside(False, 2) == (View(False, -2), View(False, 2), View(False, 0, -2), View(False, 0, 2))
    assert len({View(), *beside(True, 1)}) == 10
    for shift in (-1, 5, 0.5, True):
        with pytest.raises(InputError, match=r"shift is .*; expected a number of pixels, 0 to 4"):
            beside(True, shift)


def test_the_mean_of_probabilities_beside_the_plain_ones():
    model, data = tiny_model(), stripes()
    preprocessing = Preprocessing.of(data)
    plain = evaluate(model, data, preprocessing, batch=10)
    assert plain.over_views is None and plain.accuracy_over_views is None
    views = beside(True, 1)
    found = evaluate(model, data, preprocessing, 10, views)
    np.testing.assert_array_equal(found.probabilities, plain.probabilities)
    assert (found.accuracy, found.loss, found.views) == (plain.accuracy, plain.loss, views)
    x = preprocessing.apply(data.images)
    looks = [softmax(model.predict(view.apply(x), 10).astype(np.float64)) for view in (View(), *views)]
    np.testing.assert_allclose(found.over_views, np.mean(looks, axis=0), rtol=1e-4, atol=1e-6)  # float32
    assert np.abs(found.over_views - plain.probabilities).max() > 1e-3
    assert found.accuracy_over_views == (found.over_views.argmax(axis=1) == data.labels).mean()
    assert found.images_per_second == pytest.approx(10 * 48 / found.seconds)


def test_a_picture_and_its_mirror_image_get_the_same_mean():
    model, data = tiny_model(), stripes()
    preprocessing = Preprocessing.of(data)
    mirrored = Dataset("mirrored", np.ascontiguousarray(data.images[:, :, ::-1]), data.labels, data.classes)
    one, other = (evaluate(model, each, preprocessing, 48, beside(True)) for each in (data, mirrored))
    np.testing.assert_array_equal(one.over_views, other.over_views)
    assert not np.array_equal(one.probabilities, other.probabilities)

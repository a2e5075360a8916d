import numpy as np
import pytest
from small_runs import restored, trainer

from xception_np.training import growing
from xception_np.training.descent import descend


def test_sizes_of_a_run():
    """32 pixels from a half on, for the first 70%: 16, 20, 24, 28, then 32."""
    sizes = [growing.size(32, 0.5, 0.7, k / 100) for k in range(101)]
    assert sizes == sorted(sizes)
    assert sorted(set(sizes)) == [16, 20, 24, 28, 32]
    assert sizes[0] == 16
    assert set(sizes[70:]) == {32}


@pytest.mark.parametrize("start", [1.0, 0.3])
def test_no_growth(start):
    assert growing.size(32, start, 0.0, 0.0) == 32
    assert growing.size(32, 1.0, 0.7, 0.1) == 32


def test_half_the_size_is_the_mean_of_four():
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 3), dtype=np.float32)
    expected = x.reshape(2, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(growing.shrunk(x, 4), expected, rtol=0, atol=1e-6)  # float32 sums of 4 numbers


@pytest.mark.parametrize(("old", "new"), [(32, 24), (32, 20), (7, 3), (5, 1)])
def test_a_pixel_is_the_mean_of_its_area(old, new):
    """As if every old pixel were cut into new**2 equal ones, and old**2 of those made a new one."""
    x = np.random.default_rng(0).standard_normal((1, old, old, 3))
    fine = x.repeat(new, axis=1).repeat(new, axis=2)
    expected = fine.reshape(1, new, old, new, old, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(growing.shrunk(x, new), expected, rtol=0, atol=1e-12)


def test_brightness_stays():
    x = np.full((1, 9, 9, 3), 0.7)
    np.testing.assert_allclose(growing.shrunk(x, 4), 0.7)


def test_full_size_is_no_copy():
    x = np.random.default_rng(0).standard_normal((1, 8, 8, 3))
    assert growing.shrunk(x, 8) is x


def test_a_run_on_growing_pictures(tmp_path, monkeypatch):
    """16 pixels at first, 32 in the last steps; batch norm's statistics know nothing of the pass that only takes memory."""
    sizes, touched = [], []

    def step(model, optimizer, settings, x, *others):
        sizes.append(x.shape[1])
        return descend(model, optimizer, settings, x, *others)

    run = trainer(tmp_path, epochs=6, grow_from=0.5, grow_until=0.7)
    monkeypatch.setattr("xception_np.training.trainer.descend", step)
    monkeypatch.setattr(run, "_touch", lambda x: (touched.append(x.shape[1]), type(run)._touch(run, x)))
    moving = run.model.buffers.moving.copy()
    run._touch(np.zeros((4, 32, 32, 3), np.float32))
    np.testing.assert_array_equal(run.model.buffers.moving, moving)
    run._touched = False
    run.run()
    assert sizes == sorted(sizes)
    assert set(sizes) == {16, 20, 24, 28, 32}
    assert touched == [32, 32]


def test_growing_pictures_are_gone_on_with_to_the_same_bits(tmp_path):
    changed = {"epochs": 4, "grow_from": 0.5, "grow_until": 0.7, "save_steps": 1}
    whole = trainer(tmp_path / "whole", **changed)
    whole.run()
    part = trainer(tmp_path / "part", **changed)
    with pytest.raises(KeyboardInterrupt):
        part.run(lambda progress: interrupt() if progress.step == whole.step // 2 else None)
    rest = restored(tmp_path / "part", **changed)
    rest.run()
    np.testing.assert_array_equal(rest.model.buffers.values, whole.model.buffers.values)


def interrupt():
    raise KeyboardInterrupt

"""The line that tells how far a training is."""

import pytest

from keras_resnet.training import watch

pytestmark = pytest.mark.once


def test_the_line_tells_images_per_second_and_the_time_left(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    line = watch.Progress(steps=100, steps_per_epoch=40, batch_size=32)
    line.interval = 600.0  # of no terminal
    line.start(20)  # a run that goes on: what was before does not count
    now[0] += 10.0
    assert not line.due()
    line.show(50, loss=1.5)  # 30 steps of 32 images in 10 s; 50 steps are left
    shown = capsys.readouterr().out
    assert "epoch 2/3" in shown
    assert "step 50/100  96 images/s  17 s left  loss 1.5000" in shown
    now[0] += 600.0
    assert line.due()

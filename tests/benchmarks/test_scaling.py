"""The formulas of benchmarks/scaling: exact where they can be, and near what was published."""

import dataclasses
import math

import pytest

import keras_resnet
from benchmarks.scaling import formulas as scaling
from benchmarks.scaling import published

pytestmark = pytest.mark.once


def test_published_results_of_8_gpus_are_met_within_15_percent():
    ratios = [
        predicted / found for name, predicted, found in published.check() if "8 GPUs," in name
    ]
    assert len(ratios) == 6
    assert all(abs(ratio - 1) < 0.15 for ratio in ratios), ratios


def test_published_results_of_64_gpus_are_met_within_30_percent():
    (ratio,) = (predicted / found for name, predicted, found in published.check() if "64 " in name)
    assert abs(ratio - 1) < 0.30


def test_one_device_sends_nothing_and_waits_for_nobody():
    figures = scaling.Figures(synchronize=True)
    assert scaling.efficiency(figures, 1) == 1
    assert scaling.all_reduce_seconds(figures, 1e9, 1) == 0


def test_a_ring_of_two_sends_the_bytes_once_over_each_link():
    figures = scaling.Figures(inside=1.0, latency=0.0)
    assert scaling.all_reduce_seconds(figures, 1e9, 2) == pytest.approx(1.0)
    hosts = dataclasses.replace(figures, devices_per_host=1, between=2.0)
    assert scaling.all_reduce_seconds(hosts, 1e9, 4) == pytest.approx(2 * 3 / 4 / 2)


def test_messages_that_take_longer_than_the_backward_pass_show():
    figures = scaling.Figures(jitter=0.0, latency=0.0, inside=1.0)
    alone = figures.batch / figures.images_per_second
    message = scaling.all_reduce_seconds(figures, scaling.message_bytes(figures), 8)
    expected = alone + message - alone * 2 / 3
    assert scaling.step_seconds(figures, 8) == pytest.approx(expected)


def test_the_figures_of_resnet50_are_those_of_the_network():
    model = keras_resnet.build("resnet50", stride_on="3x3")
    figures = scaling.Figures()
    assert figures.parameters == keras_resnet.count(model).trainable
    means = [v for v in model.variables if v.path.endswith("moving_mean")]
    assert figures.normalizations == len(means)
    assert figures.normalized_channels == sum(math.prod(v.shape) for v in means)

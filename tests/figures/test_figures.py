"""Pictures, drawn from histories that were made up."""

import sys

import numpy as np
import pytest

from keras_resnet import figures

pytestmark = pytest.mark.portable

PLAIN = {"training_error": [90.0, 60.0, 40.0], "test_error": [91.0, 62.0, 43.0]}
RESIDUAL = {"training_error": [50.0, 10.0, 0.0], "test_error": [52.0, 14.0, 2.0]}


def curves():
    return figures.training_curves(
        {
            "plain networks": {"plain-20": RESIDUAL, "plain-56": PLAIN},
            "residual networks": {"ResNet-20": PLAIN, "ResNet-56": RESIDUAL},
        }
    )


def test_training_error_is_solid_and_test_error_dashed():
    for axes in curves().axes:
        for network in (axes.lines[:2], axes.lines[2:]):
            assert [line.get_linestyle() for line in network] == ["-", "--"]
            assert network[0].get_color() == network[1].get_color()
    first = curves().axes[0].lines
    assert list(first[0].get_ydata()) == RESIDUAL["training_error"]
    assert list(first[3].get_ydata()) == PLAIN["test_error"]
    assert list(first[0].get_xdata()) == [1, 2, 3]


def test_plain_and_residual_networks_stand_side_by_side_on_one_scale():
    plain, residual = curves().axes
    assert plain.get_ylabel() == "error (%)"
    assert plain.get_xlabel() == residual.get_xlabel() == "epoch"
    assert plain.get_ylim() == residual.get_ylim()
    assert plain.get_shared_y_axes().joined(plain, residual)


def test_the_networks_of_a_panel_have_different_colors():
    plain, residual = curves().axes
    colors = [line.get_color() for line in plain.lines[::2]]
    assert len(set(colors)) == 2
    assert colors == [line.get_color() for line in residual.lines[::2]]


def test_a_history_of_one_epoch_can_be_seen():
    history = {"training_error": [50.0], "test_error": [52.0]}
    figure = figures.training_curves({"plain networks": {"plain-20": history}})
    assert all(line.get_marker() == "o" for line in figure.axes[0].lines)


@pytest.mark.parametrize(
    "history", [{}, {"training_error": []}, {"training_error": [1.0], "test_error": []}]
)
def test_a_history_without_both_errors_is_refused(history):
    with pytest.raises(ValueError, match=r"'training_error' and 'test_error'.*Received: "):
        figures.training_curves({"plain networks": {"plain-20": history}})


def test_no_history_at_all_is_refused():
    with pytest.raises(ValueError, match=r"at least one history. Received: panels=\{\}"):
        figures.training_curves({})


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_mistakes_come_first_and_are_marked():
    figure = figures.predictions(np.eye(4).reshape(4, 2, 2), [1, 2, 3, 4], [1, 2, 9, 4])
    assert titles(figure)[:2] == ["predicted 9\ntrue 3", "predicted 1\ntrue 1"]
    mistake, right = figure.axes[:2]
    assert mistake.spines["left"].get_linewidth() > 2 * right.spines["left"].get_linewidth()
    assert mistake.title.get_color() != right.title.get_color()
    assert figure.get_suptitle() == "1 of 4 mistaken"


def test_a_picture_of_predictions_is_no_larger_than_asked_for():
    figure = figures.predictions(np.zeros((30, 2, 2)), range(30), [0] * 30, rows=2, columns=5)
    assert len(figure.axes) == 10
    assert figure.get_suptitle() == "29 of 30 mistaken"
    assert len(figures.predictions(np.zeros((3, 2, 2)), [0] * 3, [0] * 3).axes) == 3


@pytest.mark.parametrize(
    ("images", "labels"), [((2, 4, 4), [1]), ((0, 4, 4), []), ((2, 4, 4, 1), [1, 2])]
)
def test_images_and_labels_that_do_not_agree_are_refused(images, labels):
    with pytest.raises(ValueError, match=r"\(n, height, width\).*Received: shapes"):
        figures.predictions(np.zeros(images), labels, labels)


def test_nothing_that_is_written_is_cut_off(tmp_path):
    numbers = np.arange(40) % 10
    figure = figures.predictions(np.zeros((40, 16, 16)), numbers, numbers[::-1], title="Digits")
    for drawn in (curves(), figure):
        drawn.savefig(tmp_path / "figure.png")
        renderer = drawn._get_renderer()
        width, height = drawn.bbox.size
        for axes in drawn.axes:
            x0, y0, x1, y1 = axes.get_tightbbox(renderer).extents
            assert x0 >= 0
            assert y0 >= 0
            assert x1 <= width
            assert y1 <= height


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras3-resnet\[recipes\]"'):
        curves()

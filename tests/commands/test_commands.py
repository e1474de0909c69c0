"""The command line: what it prints, how it ends, and how long it takes to start."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from support import without_values
from support.terminal import in_a_terminal

import keras_resnet
from keras_resnet import commands as cli

pytestmark = pytest.mark.portable


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list"],
        ["list", "--help"],
        ["lst"],
        ["weights", "resnet50"],
        ["show", "--help"],
    ],
)
def test_the_command_starts_in_half_a_second_without_keras(arguments):
    """Seconds of the processor: those on the clock depend on what else runs."""
    seconds, *loaded = in_a_terminal(*arguments).stderr.splitlines()[-1].split()
    assert not {"keras", "tensorflow", "jax", "torch"} & set(loaded)
    assert "numpy" not in loaded or arguments[0] == "weights"
    assert float(seconds) < 0.5


@pytest.mark.once
def test_a_command_that_needs_keras_runs_with_the_whole_package():
    check = """
def check():
    import keras, keras_resnet
    assert keras_resnet.__version__ and keras_resnet.build and keras_resnet.export
    assert keras.saving.get_registered_object("keras_resnet>FusedNetwork")
    assert keras_resnet.__spec__.name == "keras_resnet"
    print("whole")
atexit.register(check)
"""
    done = in_a_terminal("show", "cifar_resnet8", before=check)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "whole"


@pytest.mark.once
def test_the_command_is_a_module_too():
    arguments = [sys.executable, "-m", "keras_resnet.commands", "list", "resnet18"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "11,689,512" in done.stdout


@pytest.mark.once
def test_importing_the_package_elsewhere_registers_the_classes_of_saved_models():
    program = """
import keras_resnet, keras
assert keras.saving.get_registered_object("keras_resnet>FusedNetwork")
assert keras_resnet.build
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.once
@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_helps_with_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    shown = capsys.readouterr().out
    assert f"keras-resnet {command}" in shown.split("examples:")[1]


@pytest.mark.once
def test_lists_are_json_for_machines(capsys):
    assert cli.main(["list", "resnet50", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["parameters"] == 25_557_032
    assert row["blocks"] == [3, 4, 6, 3]


@pytest.mark.once
def test_a_reader_that_stops_reading_is_no_error():
    program = "import sys; sys.argv = ['keras-resnet', 'list']; import keras_resnet_cli as cli; "
    program += "sys.exit(cli.main())"
    command = f'{sys.executable} -c "{program}" | head -c 1; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("n0\n", "")


def test_a_network_is_shown_stage_by_stage(capsys):
    assert cli.main(["show", "cifar_resnet8", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["stage"] for row in shown["stages"]] == [
        "conv1",
        "conv2_x",
        "conv3_x",
        "conv4_x",
        "pool",
        "fc",
    ]
    assert shown["stages"][2]["output"] == [16, 16, 32]
    assert shown["total"]["layers"] == 8
    costs = keras_resnet.count(keras_resnet.build("cifar_resnet8"))
    assert shown["total"]["parameters"] == costs.trainable
    assert shown["total"]["multiply_adds"] == costs.macs
    assert cli.main(["show", "cifar_resnet8", "--size", "16x24"]) == 0
    assert "conv4_x  4 x 6 x 64" in capsys.readouterr().out


@pytest.mark.once
@pytest.mark.parametrize("name", ["vgg11_lrn", "googlenet", "prelu_net_a", "resnet50v2"])
def test_the_stages_of_every_kind_of_network_add_up(name, capsys):
    with without_values():
        assert cli.main(["show", name, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]
    (row,) = [one for one in listed(capsys) if one["network"] == name]
    for what in ("layers", "parameters", "multiply_adds"):
        assert total[what] == row[what]


def listed(capsys):
    assert cli.main(["list", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.once
def test_public_weights_are_listed(capsys):
    assert cli.main(["weights", "cifar_resnet20"]) == 0
    assert "cifar_resnet20.akamaster" in capsys.readouterr().out
    assert cli.main(["weights", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["url"]
    assert cli.main(["weights", "plain18"]) == 2
    assert "no public weights. Received: 'plain18'" in capsys.readouterr().err


def test_a_network_is_exported_timed_and_converted(tmp_path, capsys):
    file, weights = tmp_path / "net.keras", tmp_path / "net.npz"
    arguments = ["cifar_resnet8", str(file), "--weights", "none", "--size", "16", "--json"]
    assert cli.main(["export", *arguments]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["relative"] < 1e-5
    assert cli.main(["benchmark", str(file), "--rounds", "1", "--batch", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["images_per_second"] > 0
    model = keras_resnet.build("cifar_resnet8")
    keras_resnet.save_weights(model, weights, "keras_resnet")
    target = tmp_path / "net.safetensors"
    converted = ["convert", "cifar_resnet8", str(weights), str(target)]
    assert cli.main(converted) == 0
    assert "as torchvision names them" in capsys.readouterr().out
    assert cli.main([*converted, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["numbers"] == model.count_params()
    again = keras_resnet.build("cifar_resnet8")
    keras_resnet.load_weights(again, target)
    assert all(
        (keras.ops.convert_to_numpy(one) == keras.ops.convert_to_numpy(other)).all()
        for one, other in zip(model.weights, again.weights, strict=True)
    )


def test_images_are_classified_by_a_network_and_by_a_file(
    tmp_path, capsys, monkeypatch, shared_data
):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr("keras_resnet.models.fetch", lambda r: shared_data / "cifar-resnet20.th")
    picture, file = tmp_path / "noise.png", tmp_path / "net.keras"
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), "uint8")
    image.fromarray(pixels).save(picture)
    network = ["--model", "cifar_resnet20", "--weights", "akamaster"]
    assert cli.main(["predict", str(picture), *network, "--json"]) == 0
    (first,) = json.loads(capsys.readouterr().out)
    assert len(first["classes"]) == 5
    network[0] = "--network"  # the flag's other name
    assert cli.main(["predict", str(picture), *network]) == 0
    assert "█" in capsys.readouterr().out
    exported = ["export", "cifar_resnet20", str(file), "--weights", "akamaster", "--size", "32"]
    assert cli.main([*exported, "--pixels"]) == 0
    capsys.readouterr()
    assert cli.main(["predict", str(picture), "--file", str(file), "--json"]) == 0
    (second,) = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in first["classes"]] == [one["name"] for one in second["classes"]]
    image.fromarray(np.pad(pixels, ((0, 0), (16, 16), (0, 0)))).save(picture)
    assert cli.main(["predict", str(picture), "--file", str(file), "--json"]) == 0
    (third,) = json.loads(capsys.readouterr().out)
    assert third["classes"] == second["classes"], "a file of one size gets the center"


@pytest.mark.once
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_can_complete(shell, capsys):
    pytest.importorskip("shtab", reason='comes with the extra "cli"')
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "benchmark" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.once
def test_networks_are_drawn_side_by_side(capsys, tmp_path):
    path = tmp_path / "fig3.svg"
    arguments = ["show", "cifar_resnet20", "--beside", "cifar_plain20", "--figure", str(path)]
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.endswith(f"wrote {path}\n")
    assert "cifar_plain20: conv1: 3x3 conv, 16" in path.read_text()
    assert cli.main(arguments[:4]) == 2
    assert "name its file with --figure" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main([*arguments[:-1], "fig3.gif"])
    assert "must end in .svg, .png or .pdf. Received: 'fig3.gif'" in capsys.readouterr().err

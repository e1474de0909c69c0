"""The family as a table, on the command line and in the documentation."""

import pathlib
import subprocess
import sys

import pytest
from support import EVERY, row
from support.facts import all_kinds, facts

import keras_resnet
from keras_resnet import commands as cli
from keras_resnet.networks.family import COLUMNS, family

pytestmark = pytest.mark.portable

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", all_kinds([name for name in EVERY if row(name).depth < 1000]))
def test_the_recorded_costs_are_those_of_built_networks(name):
    assert facts(name).costs == family()[name], "run `python tools/golden.py`"


def test_the_table_has_a_row_for_every_network():
    lines = keras_resnet.summary_table().splitlines()
    assert [line.split()[1] for line in lines[2:]] == EVERY
    assert len({line.count("|") for line in lines}) == 1
    assert "| resnet18 | 18 | 2+2+2+2 basic | B | 11,689,512 | 1.814 G | 1.8 G multiply-adds |" in (
        lines
    )
    assert "| cifar_plain20 | 20 | 3+3+3 basic | none | 269,722 | 40.6 M |  |" in lines
    assert "19,421,274 | 2.829 G | 19.4 M parameters |" in keras_resnet.summary_table()


def test_the_table_takes_names():
    assert len(keras_resnet.summary_table(["resnet50", "plain18"]).splitlines()) == 4


@pytest.mark.parametrize("names", [["resnet51"], "resnet50", [None]])
def test_the_table_of_an_unknown_network_is_refused(names):
    with pytest.raises(ValueError, match=r"`names` must be a list of names .* Received: names="):
        keras_resnet.summary_table(names)


def test_the_command_line_lists_the_family(capsys):
    assert cli.main(["list", "cifar_resnet*"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == list(COLUMNS)
    assert [line.split()[0] for line in lines[1:]] == keras_resnet.list_models("cifar_resnet*")
    assert lines[0].index("layers  ") + 4 == lines[1].index(" 20  ") + 1, "numbers are aligned"
    assert cli.main(["list", "--markdown"]) == 0
    assert capsys.readouterr().out == keras_resnet.summary_table() + "\n"


def test_the_command_line_says_what_is_wrong(capsys):
    assert cli.main(["list", "alexnet*"]) == 2
    assert "No network matches. Received: 'alexnet*'. Known: resnet18" in capsys.readouterr().err
    for arguments, message in [
        (["lst"], "invalid choice: 'lst' (choose from"),
        ([], "the following arguments are required: COMMAND"),
        (["list", "--all"], "unrecognized arguments: --all"),
    ]:
        with pytest.raises(SystemExit, match="2"):
            cli.main(arguments)
        assert message in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert "list" in capsys.readouterr().out


def test_the_tables_of_the_documentation_are_fresh():
    subprocess.run([sys.executable, "tools/tables.py", "--check"], cwd=ROOT, check=True)


@pytest.mark.once
def test_the_page_of_compared_systems_is_written_from_the_rows(monkeypatch):
    import runpy

    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = runpy.run_path(str(ROOT / "tools" / "compared.py"))
    text = tool["PAGE"].read_text()
    assert tool["page"](text) == text, "run python tools/compared.py"
    assert "| prelu_net_c | 22 |" in text

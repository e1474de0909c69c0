"""`keras-resnet completion`: what lets a shell complete commands and flags."""

import argparse

from keras_resnet.commands.common import command

SHELLS = ("bash", "zsh", "tcsh")


def add(commands) -> None:
    parser = command(
        commands,
        "completion",
        "a script that completes commands and flags in a shell",
        run,
        """
        keras-resnet completion bash > ~/.local/share/bash-completion/completions/keras-resnet
        keras-resnet completion zsh > ~/.zfunc/_keras-resnet
        """,
    )
    parser.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> None:
    try:
        import shtab
    except ImportError:
        raise ImportError('This needs shtab: pip install "keras3-resnet[cli]"') from None
    from keras_resnet.commands import parser

    print(shtab.complete(parser(), shell=options.shell))

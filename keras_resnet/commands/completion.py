"""`keras-resnet completion`: a script that lets a shell complete commands and flags."""

import argparse

EXAMPLES = """
keras-resnet completion bash > ~/.local/share/bash-completion/completions/keras-resnet
keras-resnet completion zsh > ~/.zfunc/_keras-resnet
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(options: argparse.Namespace) -> tuple[None, str]:
    try:
        import shtab
    except ImportError:
        raise ImportError('This needs shtab: pip install "keras3-resnet[cli]"') from None
    return None, shtab.complete(options.parser, shell=options.shell)

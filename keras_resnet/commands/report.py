"""`keras-resnet report`: a run as one HTML page."""

import argparse

from keras_resnet.commands.common import add_json, command, print_json


def add(commands) -> None:
    parser = command(
        commands,
        "report",
        "write a run as one HTML page: curves, errors, confusion, mistakes, configuration",
        run,
        """
        keras-resnet report runs/digits
        keras-resnet report runs/evaluation --out report.html
        """,
    )
    parser.add_argument("folder", metavar="RUN", help="folder of a recipe or of evaluations")
    parser.add_argument("--out", help="HTML file to write (default: RUN/report.html)")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    from keras_resnet.report import write_report

    path = str(write_report(options.folder, options.out))
    if options.json:
        print_json({"report": path})
    else:
        print(path)

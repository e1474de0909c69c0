"""`keras-resnet report`: a run as one HTML page."""

import argparse

EXAMPLES = """
keras-resnet report runs/digits
keras-resnet report runs/evaluation --out report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN", help="folder of a recipe or of evaluations")
    parser.add_argument("--out", help="HTML file to write (default: RUN/report.html)")


def run(options: argparse.Namespace) -> tuple[dict, str]:
    from keras_resnet.report import write_report

    path = str(write_report(options.folder, options.out))
    return {"report": path}, path

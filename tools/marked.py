"""Tables of pages of the documentation, each between `<!-- name -->` and `<!-- end -->`."""

import argparse
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterable

from keras_resnet.files import atomic_write


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(doc: str | None, pages: dict[pathlib.Path, Callable[[str], str]]) -> None:
    """Writes the tables of pages anew, or with `--check` says whether that is needed.

    Args:
        doc: the docstring of the program.
        pages: what makes of a page's text the text with fresh tables, by the page.
    """
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail where a table is stale")
    check = parser.parse_args().check
    before = {page: page.read_text() for page in pages}
    after = {page: write(before[page]) for page, write in pages.items()}
    stale = {page: text for page, text in after.items() if text != before[page]}
    if check and stale:
        names = ", ".join(page.name for page in stale)
        raise SystemExit(f"stale, run python tools/{pathlib.Path(sys.argv[0]).name}: {names}")
    for page, text in stale.items():
        with atomic_write(page) as half:
            half.write_text(text)
        print(f"wrote {page.name}")


def written(text: str, *tables: Callable[[], str]) -> str:
    """The text with what stands between the markers of each table's name written anew."""
    for write in tables:
        marked = re.compile(rf"(<!-- {write.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"The page has no table {write.__name__}")
        rows = write()
        text = marked.sub(lambda match, rows=rows: f"{match[1]}{rows}\n{match[2]}", text)
    return text


def printed(text: str, folder: pathlib.Path) -> str:
    """The text with what stands under each `<!-- python ... -->` printed anew by that command."""
    marked = re.compile(r"(<!-- python (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marked.search(text):
        raise SystemExit("The page has no table that a command prints")

    def run(match: re.Match) -> str:
        command = [sys.executable, *match[2].split()]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        return f"{match[1]}{done.stdout.strip()}\n{match[3]}"

    return marked.sub(run, text)

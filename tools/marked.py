"""Tables of pages of the documentation, each between `<!-- name -->` and `<!-- end -->`."""

import argparse
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterable

from keras_resnet.common.files import atomic_write


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; `head` has the titles of its columns, separated by " | "."""
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(doc: str | None, pages: dict[pathlib.Path, Callable[[str], str]]) -> None:
    """Updates the tables of pages; with `--check` only says which are out of date.

    Args:
        doc: the docstring of the program.
        pages: from a page to the function that returns its text with new tables.
    """
    update(pages, parser(doc).parse_args().check)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A command line with `--check`."""
    found = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    found.add_argument("--check", action="store_true", help="fail where a table is out of date")
    return found


def update(pages: dict[pathlib.Path, Callable[[str], str]], check: bool) -> None:
    """Writes the pages whose text changes; with `check`, exits with an error that names them."""
    before = {page: page.read_text() if page.exists() else "" for page in pages}
    after = {page: write(before[page]) for page, write in pages.items()}
    stale = {page: text for page, text in after.items() if text != before[page]}
    if check and stale:
        names = ", ".join(page.name for page in stale)
        raise SystemExit(f"stale, run python tools/{pathlib.Path(sys.argv[0]).name}: {names}")
    for page, text in stale.items():
        with atomic_write(page) as temporary:
            temporary.write_text(text)
        print(f"wrote {page.name}")


def written(text: str, *tables: Callable[[], str]) -> str:
    """The text with a new table between the markers of each function's name."""
    for write in tables:
        marked = re.compile(rf"(<!-- {write.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"The page has no table {write.__name__}")
        rows = write()
        text = marked.sub(lambda match, rows=rows: f"{match[1]}{rows}\n{match[2]}", text)
    return text


def printed(text: str, folder: pathlib.Path) -> str:
    """The text with the output of each command `<!-- python ... -->` between its markers."""
    marked = re.compile(r"(<!-- python (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marked.search(text):
        raise SystemExit("The page has no table that a command prints")

    def run(match: re.Match) -> str:
        command = [sys.executable, *match[2].split()]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        return f"{match[1]}{done.stdout.strip()}\n{match[3]}"

    return marked.sub(run, text)

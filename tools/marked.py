"""Tables of a page of the documentation, each between `<!-- name -->` and `<!-- end -->`."""

import argparse
import pathlib
import re
import sys
from collections.abc import Callable, Iterable


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(page: pathlib.Path, doc: str | None, written: Callable[[str], str]) -> None:
    """Writes the tables of a page anew, or with `--check` says whether that is needed."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--check", action="store_true")
    old = page.read_text()
    new = written(old)
    if parser.parse_args().check:
        raise SystemExit(f"run python tools/{pathlib.Path(sys.argv[0]).name}" if old != new else 0)
    page.write_text(new)


def written(text: str, *tables: Callable[[], str]) -> str:
    """The text with what stands between the markers of each table's name written anew."""
    for write in tables:
        marked = re.compile(rf"(<!-- {write.__name__} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise SystemExit(f"The page has no table {write.__name__}")
        rows = write()
        text = marked.sub(lambda match, rows=rows: f"{match[1]}{rows}\n{match[2]}", text)
    return text

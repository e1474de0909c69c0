"""The rooms of a package, its folders and top-level files, and the imports between them."""

import ast
import pathlib
from collections import defaultdict


def modules_of(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every module of the package at `root`, by its dotted name."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(tree: ast.AST):
    """The dotted names that a file imports, wherever in it, by importlib and `backend_part` too.

    An f-string stands for every module below the part that is written out, a backend's part for
    that of each backend.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"line {node.lineno}: absolute imports only")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            name = node.args[0]
            if called in ("import_module", "__import__"):
                if isinstance(name, ast.JoinedStr):
                    first = name.values[0]
                    start = first.value if isinstance(first, ast.Constant) else ""
                    yield str(start).rstrip(".") + ".*"
                elif isinstance(name, ast.Constant):
                    yield str(name.value)
            elif called == "backend_part":
                package, *module = [ast.literal_eval(argument) for argument in node.args]
                for backend in ("tensorflow", "jax", "torch"):
                    yield ".".join(("keras_resnet", package, backend, *module))


def imports_of(root: pathlib.Path) -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports, itself left out."""
    modules = modules_of(root)
    arrows = {}
    for module, path in modules.items():
        found = set()
        for name in imported_names(ast.parse(path.read_text(encoding="utf-8"))):
            if name.endswith(".*"):
                found |= {x for x in modules if x.startswith(name[:-1]) and "__main__" not in x}
                continue
            while name and name not in modules:
                name = name.rpartition(".")[0]
            found.add(name)
        arrows[module] = {other for other in found - {module, "", root.name} if other in modules}
    return arrows


def room_of(module: str) -> str:
    """The folder or top-level file that a module belongs to; the package itself is one."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def rooms_of(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """The rooms that each room imports from. The package's own file, which imports all, is bare."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, others in imports.items():
        room = room_of(module)
        rooms[room] |= set() if "." not in module else {*map(room_of, others)} - {room}
    return dict(rooms)


def circles_of(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The groups of names that import one another, directly or not (Tarjan's components)."""
    reach = {name: reachable(name, arrows) for name in arrows}
    groups = {
        frozenset(other for other in found if name in reach[other]) | {name}
        for name, found in reach.items()
    }
    return sorted(sorted(group) for group in groups if len(group) > 1)


def reachable(name: str, arrows: dict[str, set[str]]) -> set[str]:
    """Every name that can be reached from `name` along arrows."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in arrows[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def floors_of(rooms: dict[str, set[str]]) -> int:
    """How many rooms the longest chain of imports has."""
    heights: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in heights:
            heights[room] = 1 + max(map(height, rooms[room]), default=0)
        return heights[room]

    return max(map(height, rooms))

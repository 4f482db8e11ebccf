"""Source files of the project, parsed."""

from __future__ import annotations

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "interp_by_design"
TEXT_SUFFIXES = {".py", ".pyi", ".yaml", ".md", ".html", ".js", ".css", ".ipynb"}
RECORDED = ("results/", "tests/saved/")  # files that earlier versions wrote
LAYOUT = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.COMMENT,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file.

    Args:
        path: The file, relative to the root of the project.
    """

    path: str

    @property
    def name(self) -> str:
        """The dotted name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__` of a package."""
        return self.path.endswith("__init__.py")

    @cached_property
    def text(self) -> str:
        """What the file holds."""
        return (ROOT / self.path).read_text()

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """The tokens, comments included."""
        return list(tokenize.generate_tokens(io.StringIO(self.text).readline))

    @cached_property
    def code(self) -> set[int]:
        """The numbers of the lines that hold code: no docstring, no comment, not blank."""
        lines: set[int] = set()
        for token in self.tokens:
            if token.type not in LAYOUT:
                lines |= set(range(token.start[0], token.end[0] + 1))
        return lines - self._docstrings()

    def _docstrings(self) -> set[int]:
        lines: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node):
                first = node.body[0]
                lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
        return lines

    @property
    def comments(self) -> int:
        """The number of lines with a comment for readers."""
        marks = ("# noqa", "# type:", "# ---", "# pragma")
        return sum(
            token.type == tokenize.COMMENT and not token.string.startswith(marks)
            for token in self.tokens
        )

    def functions(self) -> Iterator[tuple[Function, int]]:
        """Yield every function with its length in lines of code."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node, len(self.code & set(range(node.lineno, (node.end_lineno or 0) + 1)))

    def assigned(self) -> Iterator[tuple[ast.expr, int]]:
        """Yield the targets that the module or a class of it assigns, with their lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef):
                for item in node.body:
                    targets = item.targets if isinstance(item, ast.Assign) else []
                    if isinstance(item, ast.AnnAssign):
                        targets = [item.target]
                    yield from ((target, item.lineno) for target in targets)

    def constants(self) -> Iterator[tuple[str, int]]:
        """Yield the names in capitals that are assigned, with their lines."""
        for target, line in self.assigned():
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and name.id.lstrip("_").isupper():
                    yield name.id, line

    def exports(self) -> set[str]:
        """Return what a package re-exports from its modules."""
        return set(self._origins())

    def _origins(self) -> dict[str, str]:
        """The module that each exported name comes from; a stub beats the file that attaches it."""
        stub = (ROOT / self.path).with_suffix(".pyi")
        tree = ast.parse(stub.read_text()) if stub.exists() else self.tree
        return {
            alias.asname or alias.name: _absolute(self, node)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if _absolute(self, node).startswith(f"{self.name}.")
        }

    def imports(self, package: dict[str, Module]) -> set[str]:
        """Return the modules of the package that it imports, for annotations too.

        Args:
            package: Every module of the package, by its dotted name.
        """
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                source = _absolute(self, node)
                found |= {_defined_in(source, alias.name, package) for alias in node.names}
        return (found & set(package)) - {self.name}


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _defined_in(source: str, name: str, package: dict[str, Module]) -> str:
    """Return the module that an imported name leads to; lazy packages are looked through."""
    if f"{source}.{name}" in package:
        return f"{source}.{name}"
    module = package.get(source)
    if module and (ROOT / module.path).with_suffix(".pyi").exists():
        origin = module._origins().get(name, source)
        return _defined_in(origin, name, package) if origin != source else source
    return source


@lru_cache
def tracked() -> tuple[str, ...]:
    """Return the files of the project, new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted({path for path in listed.stdout.split("\n") if (ROOT / path).is_file()}))


def text_files() -> list[str]:
    """Return the files that people read: code, configurations, pages."""
    return [
        path
        for path in tracked()
        if Path(path).suffix in TEXT_SUFFIXES and not path.startswith(RECORDED)
    ]


@lru_cache
def modules() -> tuple[Module, ...]:
    """Return every Python file of the project."""
    return tuple(Module(path) for path in tracked() if path.endswith(".py"))

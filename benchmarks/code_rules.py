"""Rules that the code base keeps: each one lists the places that break it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.source_files import PACKAGE, ROOT, modules, text_files

MAX_WIDTH = 100  # characters a line
MAX_FILE = 300  # lines of code, without docstrings, comments and blank lines
MAX_FUNCTION = 40  # the same
WIDTH_SUFFIXES = {".py", ".pyi", ".yaml", ".js", ".css"}
HISTORY = {"docs/log.md", "docs/results.md"}  # records of the past keep their wording
# Methods that libraries call: their base class documents them.
HOOKS = re.compile(
    r"on_\w+|configure_\w+|log_\w+|\w+_step|\w+_dataloader|(load_)?state_dict|forward|setup"
    r"|teardown|update|compute|reset|prepare_data|finalize|save|extra_repr|test_\w+|call_\w+"
    r"|placeholder|get_metadata|get_metrics|train|after_save_checkpoint|fork_rng"
    r"|output_\w+|sync|plot|to_\w+|transfer_\w+|set_epoch"
)
OVERLOADS = {"overload", "override", "setter", "command", "callback"}

Problem = tuple[str, int, str]  # path, line, what is wrong


def words() -> dict[str, str]:
    """Return the words that do not belong, with what to write instead."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return dict(table["tool"]["code_base"]["words"])


def words_that_do_not_belong() -> Iterator[Problem]:
    """Yield each use of a word that the project does not use."""
    instead = words()
    pattern = re.compile(
        r"(?<![A-Za-z])(" + "|".join(map(re.escape, instead)) + r")(?![A-Za-z])", re.IGNORECASE
    )
    for path in text_files():
        if path in HISTORY:
            continue
        text = (ROOT / path).read_text()
        if path == "CHANGELOG.md":  # released versions are history
            text = text.partition("\n## [0")[0]
        for number, line in enumerate(text.splitlines(), 1):
            for match in pattern.finditer(line):
                word = match.group(1).lower()
                yield path, number, f"word '{word}': {instead[word]}"


def long_lines() -> Iterator[Problem]:
    """Yield each line of code, configuration or style that is too wide."""
    for path in text_files():
        if Path(path).suffix in WIDTH_SUFFIXES:
            for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
                if len(line) > MAX_WIDTH:
                    yield path, number, f"line of {len(line)} characters"


def long_files() -> Iterator[Problem]:
    """Yield each Python file with too much code."""
    for module in modules():
        if len(module.code) > MAX_FILE:
            yield module.path, 1, f"file of {len(module.code)} lines"


def long_functions() -> Iterator[Problem]:
    """Yield each function with too much code."""
    for module in modules():
        for function, length in module.functions():
            if length > MAX_FUNCTION:
                yield module.path, function.lineno, f"{function.name}() of {length} lines"


def packed_constants() -> Iterator[Problem]:
    """Yield each constant that shares its line with others."""
    for module in modules():
        for target, line in module.assigned():
            if isinstance(target, ast.Tuple) and all(
                isinstance(name, ast.Name) and name.id.lstrip("_").isupper() for name in target.elts
            ):
                yield module.path, line, f"constants in one line: {ast.unparse(target)}"


def odd_constants() -> Iterator[Problem]:
    """Yield each bound that is not named MIN_, MAX_ or BATCH_."""
    for module in modules():
        for name, line in module.constants():
            if re.search(r"(^|_)(FEWEST|LEAST|MOST|AT_ONCE|CHUNKS?)(_|$)", name):
                yield module.path, line, f"constant {name}: MIN_, MAX_ or BATCH_"


def import_circles() -> Iterator[Problem]:
    """Yield each circle of imports, those for annotations included."""
    package = {module.name: module for module in modules() if module.path.startswith(PACKAGE)}
    graph = {name: module.imports(package) for name, module in package.items()}
    reported: set[str] = set()
    for start in sorted(graph):
        circle = _path_back(graph, start)
        if circle and not reported & set(circle):
            reported |= set(circle)
            yield package[start].path, 1, "import circle: " + " -> ".join([*circle, start])


def _path_back(graph: dict[str, set[str]], start: str) -> list[str]:
    paths = [[start]]
    seen = {start}
    while paths:
        path = paths.pop(0)
        for following in sorted(graph[path[-1]]):
            if following == start:
                return path
            if following not in seen:
                seen.add(following)
                paths.append([*path, following])
    return []


def modules_named_like_exports() -> Iterator[Problem]:
    """Yield each module that bears the name of something that its package exports."""
    for module in modules():
        if module.is_package:
            folder = (ROOT / module.path).parent
            for name in sorted(module.exports() & {path.stem for path in folder.glob("*.py")}):
                yield (
                    str((folder / f"{name}.py").relative_to(ROOT)),
                    1,
                    f"module named like the export {name}",
                )


def missing_arguments() -> Iterator[Problem]:
    """Yield each public function and class whose `Args:` do not match its signature."""
    package = [module for module in modules() if module.path.startswith(PACKAGE)]
    classes = {
        node.name: node
        for module in package
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    for module in package:
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _function_problems(module.path, node, node.name)
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from _class_problems(module.path, node, classes)


def _class_problems(
    path: str, node: ast.ClassDef, classes: dict[str, ast.ClassDef]
) -> Iterator[Problem]:
    inherited = {name for base in _ancestors(node, classes) for name in _methods(base)}
    methods = _methods(node)
    wanted = _arguments(methods["__init__"]) if "__init__" in methods else _fields(node)
    documented = _documented(ast.get_docstring(node))
    if "__init__" in methods:
        documented |= _documented(ast.get_docstring(methods["__init__"]))
    else:  # the fields of a named tuple are attributes to mkdocstrings
        documented |= _documented(ast.get_docstring(node), "Attributes")
    if not wanted and "__init__" not in methods:
        documented = set()  # it documents the constructor that it inherits
    elif "__init__" not in methods:
        documented -= {name for base in _ancestors(node, classes) for name in _fields(base)}
    yield from _compared(path, node.lineno, node.name, wanted, documented)
    for name, method in methods.items():
        if name not in inherited and not HOOKS.fullmatch(name):
            yield from _function_problems(path, method, f"{node.name}.{name}")


def _function_problems(
    path: str, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[Problem]:
    decorators = {
        part.attr if isinstance(part, ast.Attribute) else part.id
        for decorator in node.decorator_list
        for part in ast.walk(decorator)
        if isinstance(part, ast.Attribute | ast.Name)
    }
    if not node.name.startswith("_") and not decorators & OVERLOADS:
        documented = _documented(ast.get_docstring(node))
        yield from _compared(path, node.lineno, name, _arguments(node), documented)


def _compared(
    path: str, line: int, name: str, wanted: set[str], documented: set[str]
) -> Iterator[Problem]:
    if wanted and not documented:
        yield path, line, f"{name}: no Args:"
    elif missing := sorted(wanted - documented):
        yield path, line, f"{name}: Args: lacks {', '.join(missing)}"
    elif extra := sorted(documented - wanted):
        yield path, line, f"{name}: Args: names {', '.join(extra)}, which it does not take"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    named += [extra for extra in (given.vararg, given.kwarg) if extra]
    return {arg.arg for arg in named if not arg.arg.startswith("_")} - {"self", "cls"}


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}


def _fields(node: ast.ClassDef) -> set[str]:
    """Return what the generated constructor of a dataclass or a named tuple takes."""
    generated = [ast.unparse(part) for part in (*node.decorator_list, *node.bases)]
    if not any("dataclass" in text or text.endswith("NamedTuple") for text in generated):
        return set()
    return {
        item.target.id
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and "ClassVar" not in ast.unparse(item.annotation)
        and "init=False" not in (ast.unparse(item.value) if item.value else "")
        and not item.target.id.startswith("_")
    }


def _ancestors(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[ast.ClassDef]:
    found: list[ast.ClassDef] = []
    for base in node.bases:
        name = re.split(r"[.\[]", ast.unparse(base).partition("[")[0])[-1]
        if name in classes and classes[name] is not node:
            found += [classes[name], *_ancestors(classes[name], classes)]
    return found


def _documented(docstring: str | None, section_name: str = "Args") -> set[str]:
    """Return the names that a section of a docstring lists."""
    pattern = rf"^{section_name}:\n((?:[ ]+.*\n?|\n)+)"
    section = re.search(pattern, docstring or "", flags=re.MULTILINE)
    if not section:
        return set()
    lines = section.group(1).splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    entries = [line[indent:] for line in lines if line[indent : indent + 1].strip()]
    names = [entry.partition(":")[0] for entry in entries]
    return {part.split(" (")[0].strip().lstrip("*") for name in names for part in name.split(",")}


RULES = {
    "words that do not belong": words_that_do_not_belong,
    "long lines": long_lines,
    "long files": long_files,
    "long functions": long_functions,
    "packed constants": packed_constants,
    "odd constant names": odd_constants,
    "import circles": import_circles,
    "modules named like an export": modules_named_like_exports,
    "missing Args:": missing_arguments,
}

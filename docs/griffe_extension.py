"""Extension of griffe, which reads the docstrings of the API reference."""

from __future__ import annotations

import re
from typing import Any

from griffe import Class, Extension, Function, Kind, Object, Parameter, ParameterKind, Parameters

EXAMPLE = re.compile(r"^>>> (?:.+\n?)+", flags=re.MULTILINE)


class DocstringsOfTheProject(Extension):
    """Constructors of named tuples, and examples as code wherever they stand in a docstring."""

    def on_class_members(self, *, cls: Class, **kwargs: Any) -> None:
        """Give a named tuple the constructor that Python generates.

        Args:
            cls: The class, with its members.
            kwargs: Further arguments of griffe.
        """
        if not any(str(base).endswith("NamedTuple") for base in cls.bases):
            return
        fields = [
            Parameter(
                member.name,
                annotation=member.annotation,
                kind=ParameterKind.positional_or_keyword,
                default=member.value,
            )
            for member in cls.members.values()
            if member.kind is Kind.ATTRIBUTE
        ]
        this = Parameter("self", kind=ParameterKind.positional_or_keyword)
        cls.set_member("__init__", Function("__init__", parameters=Parameters(this, *fields)))

    def on_instance(self, *, obj: Object, **kwargs: Any) -> None:
        """Fence the examples that do not stand in a section of their own.

        Args:
            obj: The object whose docstring is read.
            kwargs: Further arguments of griffe.
        """
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(_fenced, obj.docstring.value)


def _fenced(example: re.Match[str]) -> str:
    return f"```pycon\n{example.group().rstrip()}\n```\n"

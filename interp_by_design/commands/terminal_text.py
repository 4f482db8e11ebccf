"""Text that is safe to print on a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """`text` for a terminal: what a file's name or a class's could do to it is left out."""
    return "".join(character if character.isprintable() else "�" for character in text)

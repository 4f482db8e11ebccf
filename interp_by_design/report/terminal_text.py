"""Text that is safe to print on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Replace what a terminal would not print, such as control sequences in names of files.

    Args:
        text: Any text.

    Returns:
        Text of printable characters.

    Examples:
        >>> printable("a\x1b[2Jb")
        'a�[2Jb'
    """
    return "".join(character if character.isprintable() else "�" for character in text)

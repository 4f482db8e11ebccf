"""`interp cache`: what caches there are, whether they are whole, and how to be rid of them. Knows nothing of what made them.

Imports nothing heavy before it must, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interp_by_design.activations.cache_folder import CacheFolder

COLUMNS = ("key", "network", "layers", "split", "images", "dtype", "size", "shards", "created")


def run_cache(command: str, arguments: Sequence[str]) -> None:
    """`command` is what the user typed before `arguments`."""
    options = _parser(command).parse_args(arguments)

    from interp_by_design.commands.train import explaining_mistakes

    explaining_mistakes(
        lambda: {"ls": _list, "verify": _verify, "rm": _remove}[options.action](options), command
    )


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command,
        description="The caches that post-hoc fits keep on disk: a frozen predictor's passes, a folder for each split.",
    )
    shared = argparse.ArgumentParser(add_help=False)
    told = "where they lie; by default $INTERP_CACHE/activations, else ~/.cache/interp_by_design/activations"
    shared.add_argument("--root", type=Path, metavar="FOLDER", help=told)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ls | verify | rm")
    actions.add_parser(
        "ls",
        parents=[shared],
        help="list them",
        description="Lists all caches, and what they take.",
    )
    verify = actions.add_parser(
        "verify",
        parents=[shared],
        help="read them and compare checksums",
        description="Reads caches whole; exit code 1 and the names of bad shards where one is not as it was written.",
    )
    verify.add_argument(
        "keys", nargs="*", metavar="KEY", help="as `ls` shows it, or its beginning; all by default"
    )
    remove = actions.add_parser(
        "rm", parents=[shared], help="delete them", description="Deletes caches, and asks nothing."
    )
    remove.add_argument("keys", nargs="*", metavar="KEY", help="as `ls` shows it, or its beginning")
    remove.add_argument("--all", action="store_true", help="all of them")
    remove.add_argument(
        "--incomplete", action="store_true", help="those whose recording was stopped"
    )
    return parser


def _list(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    root, folders = _caches(options)
    console = Console()
    if not folders:
        console.print(f"No cache in {root}", soft_wrap=True)
        return
    table = Table(*COLUMNS)
    for folder in folders:
        table.add_row(*_row(folder))
    if (
        not console.is_terminal
    ):  # whole rows for whoever reads them on, not those of a terminal of 80 columns
        console.width = 240
    console.print(table)
    console.print(
        f"{len(folders)} caches, {_size(sum(folder.size for folder in folders))} in {root}",
        soft_wrap=True,
    )


def _row(folder: CacheFolder) -> tuple[str, ...]:
    contents = folder.contents
    if not contents:
        return (
            folder.key,
            "cache.json is damaged, or of another version",
            *[""] * (len(COLUMNS) - 2),
        )
    hidden = [field["dtype"] for field in contents["fields"] if field["name"].startswith("hidden")]
    return (
        folder.key,
        contents["network"].rpartition(".")[2],
        ", ".join(contents["layers"]),
        contents["split"],
        f"{contents['rows']:,}",
        hidden[0],
        _size(folder.size),
        "complete" if folder.is_complete else f"{len(folder.checksums)} of {folder.n_shards}",
        contents["created"],
    )


def _verify(options: argparse.Namespace) -> None:
    bad = 0
    root, folders = _caches(options)
    for folder in _chosen(options.keys, root, folders) if options.keys else folders:
        faults = (
            folder.bad() if folder.contents else ["cache.json is damaged, or of another version"]
        )
        whole = (
            "whole"
            if folder.is_complete
            else f"whole as far as it goes, {len(folder.checksums)} of {folder.n_shards} shards"
        )
        print(f"{folder.key}: {', '.join(faults) if faults else whole}")
        bad += bool(faults)
    if bad:
        print(
            f"`interp cache rm KEY` removes a cache that is damaged ({bad} here); the next run records it anew."
        )
        raise SystemExit(1)


def _remove(options: argparse.Namespace) -> None:
    from interp_by_design.terms import UserError

    root, folders = _caches(options)
    if not (options.keys or options.all or options.incomplete):
        raise UserError(
            "Nothing to remove. Give keys, as `interp cache ls` shows them, or --all, or --incomplete."
        )
    chosen = _chosen(options.keys, root, folders)
    chosen += [
        folder
        for folder in folders
        if options.all or (options.incomplete and not folder.is_complete)
    ]
    freed = [folder.remove() for folder in dict.fromkeys(chosen)]
    print(
        f"Removed {len(freed)} {'cache' if len(freed) == 1 else 'caches'} of {root}: {_size(sum(freed))} freed"
    )


def _caches(options: argparse.Namespace) -> tuple[Path, list[CacheFolder]]:
    from interp_by_design.activations.cache_folder import caches, default_root

    root = options.root or default_root()
    return root, caches(root)


def _chosen(keys: Sequence[str], root: Path, folders: Sequence[CacheFolder]) -> list[CacheFolder]:
    """The folders by these keys, or the beginnings of keys where they leave no choice. Raises UnknownName for any other."""
    from interp_by_design.terms import UnknownName

    chosen = []
    for key in keys:
        found = [folder for folder in folders if folder.key.startswith(key)]
        if len(found) != 1:
            raise UnknownName.among(
                "cache", key, [folder.key for folder in found or folders], owner=str(root)
            )
        chosen += found
    return chosen


def _size(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"

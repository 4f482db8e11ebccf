"""`interp cache`: which activation caches there are, whether they are whole, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interp_by_design.commands.errors import reports_errors

if TYPE_CHECKING:
    from interp_by_design.activations.cache_folder import CacheFolder

COLUMNS = ("key", "network", "layers", "split", "images", "dtype", "size", "shards", "created")
DAMAGED = "cache.json is damaged, or of another version"
DESCRIBED = {"network", "layers", "split", "rows", "created", "fields"}  # what `ls` shows
WIDTH = 240  # characters of a line where the output is no terminal
BYTES_PER_GB = 1e9
BYTES_PER_MB = 1e6

Root = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where the caches are; by default $INTERP_CACHE/activations, "
        "else ~/.cache/interp_by_design/activations.",
    ),
]
Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY", help="As `ls` shows it, or its beginning."),
]
AllCaches = Annotated[bool, typer.Option("--all", help="All of them.")]
Incomplete = Annotated[bool, typer.Option("--incomplete", help="Those whose recording stopped.")]

app = typer.Typer(
    help="The caches that post-hoc fits keep on disk: activations of a frozen predictor, "
    "a folder for each split.",
    short_help="ls, verify and rm: what post-hoc fits keep on disk.",
)


@app.command("ls", short_help="List them.")
@reports_errors
def list_caches(root: Root = None) -> None:
    """List all caches, and what they take."""
    from rich.console import Console
    from rich.table import Table

    root, folders = _caches(root)
    console = Console()
    if not folders:
        console.print(f"No cache in {root}", soft_wrap=True)
        return
    table = Table(*COLUMNS)
    for folder in folders:
        table.add_row(*_row(folder))
    if not console.is_terminal:  # whole rows for a program that reads them
        console.width = WIDTH
    console.print(table)
    console.print(
        f"{len(folders)} caches, {_size(sum(folder.size for folder in folders))} in {root}",
        soft_wrap=True,
    )


@app.command("verify", short_help="Read them and compare checksums.")
@reports_errors
def verify_caches(keys: Keys = None, root: Root = None) -> None:
    """Read caches whole; exit code 1 and the names of bad shards where one is damaged."""
    n_bad = 0
    root, folders = _caches(root)
    for folder in _chosen(keys, root, folders) if keys else folders:
        faults = folder.bad() if _is_described(folder) else [DAMAGED]
        print(f"{folder.key}: {', '.join(faults) if faults else _completeness(folder)}")
        n_bad += bool(faults)
    if n_bad:
        print(
            f"`interp cache rm KEY` removes a cache that is damaged ({n_bad} here); "
            "the next run records it again."
        )
        raise SystemExit(1)


@app.command("rm", short_help="Delete them.")
@reports_errors
def remove_caches(
    keys: Keys = None,
    everything: AllCaches = False,
    incomplete: Incomplete = False,
    root: Root = None,
) -> None:
    """Delete caches without a question."""
    from interp_by_design.terms import UserError

    root, folders = _caches(root)
    if not (keys or everything or incomplete):
        raise UserError(
            "Nothing to remove. Give keys, as `interp cache ls` shows them, or --all, "
            "or --incomplete."
        )
    chosen = _chosen(keys or [], root, folders)
    chosen += [
        folder for folder in folders if everything or (incomplete and not folder.is_complete)
    ]
    freed = [folder.remove() for folder in dict.fromkeys(chosen)]
    noun = "cache" if len(freed) == 1 else "caches"
    print(f"Removed {len(freed)} {noun} of {root}: {_size(sum(freed))} freed")


def _completeness(folder: CacheFolder) -> str:
    if folder.is_complete:
        return "whole"
    return f"whole as far as it goes, {len(folder.checksums)} of {folder.n_shards} shards"


def _is_described(folder: CacheFolder) -> bool:
    return folder.contents.keys() >= DESCRIBED and folder.n_shards > 0


def _row(folder: CacheFolder) -> tuple[str, ...]:
    contents = folder.contents
    if not _is_described(folder):
        return (folder.key, DAMAGED, *[""] * (len(COLUMNS) - 2))
    hidden = [field["dtype"] for field in contents["fields"] if field["name"].startswith("hidden")]
    return (
        folder.key,
        contents["network"].rpartition(".")[2],
        ", ".join(contents["layers"]),
        contents["split"],
        f"{contents['rows']:,}",
        hidden[0] if hidden else "",
        _size(folder.size),
        "complete" if folder.is_complete else f"{len(folder.checksums)} of {folder.n_shards}",
        contents["created"],
    )


def _caches(root: Path | None) -> tuple[Path, list[CacheFolder]]:
    from interp_by_design.activations.cache_folder import caches, default_root

    root = root or default_root()
    return root, caches(root)


def _chosen(keys: Sequence[str], root: Path, folders: Sequence[CacheFolder]) -> list[CacheFolder]:
    """Return the folders of these keys, or of beginnings that leave no choice."""
    from interp_by_design.terms import UnknownName

    chosen = []
    for key in keys:
        found = [folder for folder in folders if key and folder.key.startswith(key)]
        if len(found) != 1:
            known = [folder.key for folder in found or folders]
            raise UnknownName.among("cache", key, known, owner=str(root))
        chosen += found
    return chosen


def _size(size: float) -> str:
    if size >= BYTES_PER_GB:
        return f"{size / BYTES_PER_GB:.2f} GB"
    return f"{size / BYTES_PER_MB:.1f} MB"

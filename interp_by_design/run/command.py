"""The command line around a run: a user's mistake is told in a few lines, with the nearest name, and exit code 1.

Imports nothing heavy, so that `--help` and `--cfg job` answer at once.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

# By name, since importing them here would cost the seconds that this module saves: ours, and Lightning's.
USERS_MISTAKES = ("UserError", "MisconfigurationException")


def explaining_mistakes(main: Callable[[], Any], config_dir: str) -> None:
    """Runs `main`; a user's mistake ends the process with its explanation alone, unless `debug=true` is among the arguments."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # otherwise Hydra prints and exits before anyone can say more
    try:
        main()
    except Exception as error:
        explanation = explain_mistake(error, config_dir)
        if explanation is None or any(argument.lower() == "debug=true" for argument in sys.argv):
            raise
        print(f"\n{explanation}\n(debug=true shows where this was raised.)", file=sys.stderr)
        sys.exit(1)


def explain_mistake(error: BaseException, config_dir: str) -> str | None:
    """What to tell the user of `error`; None for a defect of ours, which deserves its stack trace."""
    for cause in _causes(error):
        if any(kind.__name__ in USERS_MISTAKES for kind in type(cause).__mro__):
            return str(cause)
        if isinstance(cause, OSError) and not isinstance(
            cause, HydraException
        ):  # a disk, a folder, a right: told best by the system itself
            return str(cause)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _explain_config(error, config_dir)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _explain_config(error: Exception, config_dir: str) -> str:
    text = str(error)
    key = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if isinstance(error, MissingConfigException) and option:
        group, name = option.groups()
        listed = text.partition("Available options")[2].partition("Config search path")[0]
        options = re.findall(r"^\t(\S+)", listed, flags=re.MULTILINE)
        return f"No option '{name}' in the group '{group}'. Known: {', '.join(options)}.{_nearest(name, options)}"
    if isinstance(error, ConfigCompositionException) and key:
        name = key.group(1)
        nearest = _nearest(name, [known for known in _known_keys(config_dir) if known != name])
        return (
            f"No key or group '{name}' in the configuration, or no such entry in it.{nearest} "
            f"`python train.py --cfg job` lists them all; +{name}=… adds a new one, as to a schedule."
        )
    return text


def _nearest(name: str, known: list[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""


def _known_keys(config_dir: str) -> list[str]:
    """Every key of the configuration, dotted; with the options that the command line chooses, where those are right."""
    chosen = [argument for argument in sys.argv[1:] if re.fullmatch(r"[a-z_]+=[a-z_0-9]+", argument)]
    for overrides in (chosen, []):
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(config_dir, version_base="1.3"):
                return list(_dotted(compose("train", overrides)))
        except HydraException:
            continue
    return []


def _dotted(config: DictConfig, prefix: str = "") -> Iterator[str]:
    for key in map(str, config):
        yield f"{prefix}{key}"
        if isinstance(node := config._get_node(key), DictConfig):
            yield from _dotted(node, f"{prefix}{key}.")

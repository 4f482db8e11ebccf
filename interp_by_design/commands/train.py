"""The command line around a run: Hydra's, and a user's mistake told in a few lines, with the nearest name, and exit code 1.

Imports nothing heavy, so that `--help` and `--cfg job` answer at once.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from interp_by_design.run.configs import config_dir

# By name, since importing them here would cost the seconds that this module saves: ours, and Lightning's.
USERS_MISTAKES = ("UserError", "MisconfigurationException")


def run_training(command: str, arguments: Sequence[str]) -> None:
    """One run, or several, as Hydra reads `arguments`; `command` is what the user typed before them.

    Classes of the user's own are also found in the folder where the command was given.
    """
    typed = sys.argv

    def task(config: DictConfig) -> None:
        sys.argv = typed  # what provenance tells
        from interp_by_design.run import train  # heavy, and not needed for --help

        train(config)

    sys.argv = [command.removeprefix("python "), *arguments]
    sys.path.append(os.getcwd())
    os.environ["INTERP_COMMAND"] = command  # for the text of --help
    main = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="train")(task)
    explaining_mistakes(main, command, hint="\n(debug=true shows where this was raised.)")


def explaining_mistakes(main: Callable[[], Any], command: str, hint: str = "") -> None:
    """Runs `main`; a user's mistake ends the process with its explanation alone, unless `debug=true` is among the arguments."""
    os.environ["HYDRA_FULL_ERROR"] = (
        "1"  # otherwise Hydra prints and exits before anyone can say more
    )
    try:
        main()
    except KeyboardInterrupt:  # before there is anything to resume, which a run tells itself
        print("\nInterrupted.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # whoever read what is printed, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        explanation = explain_mistake(error, command)
        if explanation is None or any(argument.lower() == "debug=true" for argument in sys.argv):
            raise
        print(f"\n{explanation}{hint}", file=sys.stderr)
        sys.exit(1)


def explain_mistake(error: BaseException, command: str = "python train.py") -> str | None:
    """What to tell the user of `error`; None for a defect of ours, which deserves its stack trace."""
    for cause in _causes(error):
        if any(kind.__name__ in USERS_MISTAKES for kind in type(cause).__mro__):
            return str(cause)
        if isinstance(cause, OSError) and not isinstance(cause, HydraException):
            return str(cause)  # a disk, a folder, a right: told best by the system itself
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _explain_config(error, command)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _explain_config(error: Exception, command: str) -> str:
    text = str(error)
    key = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if isinstance(error, MissingConfigException) and option:
        group, name = option.groups()
        listed = text.partition("Available options")[2].partition("Config search path")[0]
        options = re.findall(r"^\t(\S+)", listed, flags=re.MULTILINE)
        return f"No option '{name}' in the group '{group}'. Known: {', '.join(options)}.{nearest(name, options)}"
    if isinstance(error, ConfigCompositionException) and key:
        name = key.group(1)
        hint = nearest(name, [known for known in _known_keys() if known != name])
        return (
            f"No key or group '{name}' in the configuration, or no such entry in it.{hint} "
            f"`{command} --cfg job` lists them all; +{name}=… adds a new one, as to a schedule."
        )
    return text


def nearest(name: str, known: Sequence[str]) -> str:
    """The question whether a known name was meant, where one is near."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""


def _known_keys() -> list[str]:
    """Every key of the configuration, dotted; with the options that the command line chooses, where those are right."""
    chosen = [
        argument for argument in sys.argv[1:] if re.fullmatch(r"[a-z_]+=[a-z_0-9]+", argument)
    ]
    for overrides in (chosen, []):
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(config_dir()), version_base="1.3"):
                return list(_dotted(compose("train", overrides)))
        except HydraException:
            continue
    return []


def _dotted(config: DictConfig, prefix: str = "") -> Iterator[str]:
    for key in map(str, config):
        yield f"{prefix}{key}"
        if isinstance(node := config._get_node(key), DictConfig):
            yield from _dotted(node, f"{prefix}{key}.")

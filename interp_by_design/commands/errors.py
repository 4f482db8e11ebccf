"""User errors on the command line: a few lines with the nearest name, and an exit code."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

# By name: importing the classes takes the seconds that commands save by late imports.
USER_ERRORS = ("UserError", "MisconfigurationException")
INTERRUPTED = 130  # the shell's exit code of Ctrl-C


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command so that it logs its progress and reports user errors.

    Args:
        command: The function of the command.

    Returns:
        A function of the same signature. A user error ends the process with exit code 1.
    """

    @wraps(command)
    def reporting(*given: Any, **options: Any) -> None:
        import logging

        logging.basicConfig(format="%(message)s")
        logging.getLogger("interp_by_design").setLevel(logging.INFO)
        run_reporting_errors(lambda: command(*given, **options), "interp train")

    return reporting


def run_reporting_errors(main: Callable[[], Any], train_command: str, hint: str = "") -> None:
    """Run a function; a user error ends the process with its message alone.

    With `debug=true` on the command line, the stack trace is printed instead.

    Args:
        main: The function.
        train_command: The command that trains, for hints.
        hint: Text after each message.

    Raises:
        SystemExit: With code 1 after a user error, with 130 after Ctrl-C.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # otherwise Hydra itself prints and exits
    try:
        main()
    except KeyboardInterrupt:  # a run that can be resumed reports it itself
        print("\nInterrupted.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of the output, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        message = user_message(error, train_command)
        if message is None or any(argument.lower() == "debug=true" for argument in sys.argv):
            raise
        print(f"\n{message}{hint}", file=sys.stderr)
        sys.exit(1)


def user_message(error: BaseException, train_command: str = "python train.py") -> str | None:
    """Return what the user should read about an error.

    Args:
        error: The error.
        train_command: The command that trains, for hints.

    Returns:
        The message; None for a defect of this package, which deserves its stack trace.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    for cause in _causes(error):
        if any(kind.__name__ in USER_ERRORS for kind in type(cause).__mro__):
            return str(cause)
        if isinstance(cause, OSError) and not isinstance(cause, HydraException):
            return str(cause)  # a disk, a folder, a permission: the system's words are best
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _config_message(error, train_command)
    return None


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return a question about the known name that is nearest to an unknown one.

    Args:
        name: The unknown name.
        known: The known names.

    Returns:
        The question after a space; empty where no name is near.

    Examples:
        >>> suggestion("trian", ["train", "report"])
        " Did you mean 'train'?"
    """
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _config_message(error: Exception, train_command: str) -> str:
    from hydra.errors import ConfigCompositionException, MissingConfigException

    text = str(error)
    key = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if isinstance(error, MissingConfigException) and option:
        group, name = option.groups()
        listed = text.partition("Available options")[2].partition("Config search path")[0]
        options = re.findall(r"^\t(\S+)", listed, flags=re.MULTILINE)
        return (
            f"No option '{name}' in the group '{group}'. Known: {', '.join(options)}."
            f"{suggestion(name, options)}"
        )
    if isinstance(error, ConfigCompositionException) and key:
        name = key.group(1)
        hint = suggestion(name, [known for known in _known_keys() if known != name])
        return (
            f"No key or group '{name}' in the configuration, or no such entry in it.{hint} "
            f"`{train_command} --cfg job` lists them all; "
            f"+{name}=… adds a new one, as to a schedule."
        )
    return text


def _known_keys() -> list[str]:
    """Return every dotted key of the configuration, with the command line's options if valid."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException

    from interp_by_design.run.configs import config_dir

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
    from omegaconf import DictConfig

    for key in map(str, config):
        yield f"{prefix}{key}"
        if isinstance(node := config._get_node(key), DictConfig):
            yield from _dotted(node, f"{prefix}{key}.")

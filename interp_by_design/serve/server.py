"""The server process: its socket, its warnings and its end."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
import threading
import webbrowser

import uvicorn
from starlette.applications import Starlette

from interp_by_design.serve.app import Pages, application
from interp_by_design.terms import UserError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def run_server(pages: Pages, listener: socket.socket, host: str, show: bool = False) -> None:
    """Serve pages until Ctrl-C.

    Args:
        pages: The pages.
        listener: The socket that listens.
        host: Its address.
        show: Whether to open a browser.
    """
    local = is_loopback(host)
    own = set() if local else {socket.gethostname().lower(), socket.getfqdn().lower()}
    at = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    if not local:
        print(
            f"Warning: anybody who reaches {host} can look at this run and have images explained, "
            "without a password.",
            file=sys.stderr,
        )
    print(f"Serving at {at} (images: {at}/explain). Ctrl-C ends it.", flush=True)
    if show:
        threading.Thread(target=webbrowser.open, args=(at,), daemon=True).start()
    _serve(application(pages, {*LOOPBACK, host.lower(), *own}, addresses=not local), listener)
    print("Stopped.")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server at an address.

    Args:
        host: A name or an IP address.

    Returns:
        Whether it is a loopback address.

    Examples:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
        (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """Open a socket that listens.

    Args:
        host: The address.
        port: The port; 0 takes any free one.

    Returns:
        The socket.

    Raises:
        UserError: For a port that cannot be, that is in use, or that is not allowed.
    """
    if not 0 <= port < 65536:
        raise UserError(f"There is no port {port}. Give one from 0 (any that is free) to 65535.")
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} of {host} is in use. "
                f"Choose another: --port {port + 1}, or --port 0 for any."
            ) from error
        raise UserError(
            f"Cannot listen at {host}, port {port}: {error.strerror or error}. "
            "Choose another --host or --port."
        ) from error


def _serve(app: Starlette, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # which uvicorn raises again when everything is closed
        return

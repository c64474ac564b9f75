"""Serves the site while it is written, if the port is free: `make serve PORT=8001`."""

import socket
import sys

from mkdocs.__main__ import cli

HOST = "127.0.0.1"


def refusal(port: int) -> str | None:
    """Say why a server can't listen there, if so."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as MkDocs' server does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None


def main(port: str) -> None:
    """Serve at a port, or exit at once with another that is free; MkDocs asks after its build."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        sys.exit(f"PORT is {port!r}; expected a number from 1 to 65535: make serve PORT=8001")
    if reason := refusal(int(port)):
        free = next(other for other in range(8000, 65536) if not refusal(other))
        sys.exit(f"Port {port} can't be used: {reason}. Another is free: make serve PORT={free}")
    cli(["serve", "--livereload", "--dev-addr", f"{HOST}:{port}"])


if __name__ == "__main__":
    main(sys.argv[1])

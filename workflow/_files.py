"""Writing to disk so that nothing is lost: whole files replaced, whole lines appended."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def writable(folder: Path) -> None:
    """Refuse a folder that can't be written, before there is anything to lose."""
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def replace(path: Path, data: memoryview) -> None:
    """Write a file beside `path`, then rename it: at each moment one whole file is there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)


def append(path: Path, line: str) -> None:
    """Add a line in one write, so that two processes can share the file.

    A line that a crash cut short is closed first: it stays alone in its damage.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b", buffering=0) as file:
            file.seek(0, os.SEEK_END)
            torn = b""
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                torn = b"" if file.read(1) == b"\n" else b"\n"
            data = torn + line.encode() + b"\n"
            if file.write(data) < len(data):  # a full disk takes what fits and says nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} was not written ({error.strerror}); what was there before is untouched. "
            "Choose a folder that can be written and has room.",
        ) from error

"""Files that processes share and crashes leave whole: replaced, appended to, and work claimed."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows: nothing is claimed there, and what a killed save left stays
    fcntl = None  # type: ignore[assignment]

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network drives have none


def writable(folder: Path) -> None:
    """Refuse a folder that can't be written, before there is anything to lose."""
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path` to write, renamed at the end: at each moment one whole file is there.

    A link stays a link: the file it leads to is replaced. A file keeps its mode.
    """
    with _explained(path):
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            raise OSError(code, os.strerror(code))
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        temporary, file = _locked_beside(target)
        with file:
            try:
                if mode is not None:
                    temporary.chmod(stat.S_IMODE(mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(target)
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


class Claims:
    """Claims on pieces of work, among processes that share a file.

    Each ends with its block, or with its process: it is a lock, kept by the operating system, on
    one byte of a file that stays empty, beside the one that is shared.
    """

    def __init__(self, path: Path) -> None:
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.with_name(f".{path.name}.claims").open("ab")

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @contextmanager
    def claim(self, work: str, *, wait: bool) -> Iterator[bool]:
        """Whether the work is ours in this block; with `wait`, as soon as nobody else claims it."""
        place = int.from_bytes(hashlib.sha256(work.encode()).digest()[:7])
        if fcntl is None:
            yield True
            return
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, place)
        except OSError as error:
            yield error.errno in _NO_LOCKS
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)


def _locked_beside(target: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside the target, locked so that nobody takes it for abandoned."""
    while True:
        path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        file = path.open("x+b")
        if _locked(file, wait=True) and not path.exists():  # somebody was faster than the lock
            file.close()
            continue
        return path, file


def _remove_abandoned(target: Path) -> None:
    """Remove what killed processes left half written: nobody holds its lock any more."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.????????.tmp"):
        with suppress(OSError), left.open("r+b") as file:
            if _locked(file, wait=False):
                left.unlink()


def _locked(file: IO[bytes], *, wait: bool) -> bool:
    """Lock a file until it is closed; say whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def plain(value: Any, *single: Any) -> Any:
    """Named tuples as dictionaries, single numbers of these types as Python's, also deep inside."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: plain(item, *single) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(plain(item, *single) for item in value)
    return value.item() if isinstance(value, single) and value.ndim == 0 else value


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

"""Appends records to the local store, in the same way as the program `manometer` does.

One line of JSON a record, one file a day (UTC). A line is appended under an advisory lock of the file; a file that does
not end in a newline was left by a writer that was killed, and gets one first; a write that comes out short is taken
back. Where the lock cannot be had in time the line is written without it, between two newlines.
"""

import errno
import json
import os
import random
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Mapping, Optional

from . import settings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FOLDER = ".manometer"
RECORD_BYTES = 16 << 20
_PATIENCE_SECONDS = 2.0


class StoreError(Exception):
    """A record that could not be stored. What was stored before is as it was."""


def folder_for(explicit: Optional[Path] = None) -> Path:
    """The store's folder: the one named, else `.manometer` in the git checkout, else in the current folder."""
    named = explicit or settings.store_path()
    here = Path.cwd()
    if named is not None:
        return here / named
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder / FOLDER
    return here / FOLDER


def append(folder: Path, record: Mapping[str, Any], at: datetime) -> Path:
    """Appends a record to the file of its day and gives the file."""
    path = folder / f"{at:%Y-%m-%d}.jsonl"
    try:
        # Without NaN and Infinity, which are no JSON; with only ASCII, so that every reader agrees on the bytes.
        line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
    except (TypeError, ValueError) as error:
        raise StoreError(f"the record cannot be written as JSON: {error}") from error
    if len(line) > RECORD_BYTES:
        raise StoreError(f"the record has {len(line)} bytes, at most {RECORD_BYTES} are stored")
    try:
        _make(folder)
        _append_line(path, line)
    except OSError as error:
        raise StoreError(f"failed to write {path}: {error.strerror or error}{_hint(error)}") from error
    return path


def _hint(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "; name a folder that may be written with MANOMETER_PATH"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "; nothing was stored: make room, or name another folder with MANOMETER_PATH"
    return ""


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        # Measurements are no part of the sources: git is told so from inside the folder.
        (folder / ".gitignore").write_text("*\n")
    except OSError:
        pass


def _append_line(path: Path, line: bytes) -> None:
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            if not _lock(file):
                _write_all(file, b"\n" + line)
                return
            status = os.fstat(file)
            if status.st_nlink == 0:
                # Pruned between the opening and the lock: nobody would find what is written here.
                continue
            _append_locked(file, line, status.st_size)
            return
        finally:
            os.close(file)


def _append_locked(file: int, line: bytes, length: int) -> None:
    if length > 0 and os.pread(file, 1, length - 1) != b"\n":
        line = b"\n" + line
    written = 0
    try:
        while written < len(line):
            written += os.write(file, line[written:])
    except OSError:
        # A writer that knows no lock may have appended behind the short write: then readers skip the torn line.
        if written and os.fstat(file).st_size == length + written:
            os.ftruncate(file, length)
        raise


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _lock(file: int) -> bool:
    if fcntl is None:
        return False
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EINTR) or time.monotonic() >= deadline:
                return False
            time.sleep(random.uniform(0.0001, 0.002))

"""Collects metrics and stores them as one record a run."""

import math
import threading
import uuid
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional, Union

from . import sending, settings, store
from .settings import log
from .surroundings import look_around

_OWN_FIELDS = ("type", "duration", "success", "git_commit")
_FIXED_FIELDS = ("run_id", "timestamp", "metrics", "tags", "operation")


class MetricsCollector:
    """Metrics on their way into one record. May be used from several threads."""

    def __init__(self, path: Union[str, "PathLike[str]", None] = None) -> None:
        """`path` is the folder of the store; without it that of the project."""
        self._path = None if path is None else Path(path)
        self._lock = threading.Lock()
        self._metrics: Dict[str, float] = {}
        self._tags: Dict[str, Dict[str, str]] = {}

    def record(self, name: str, value: float, tags: Optional[Mapping[str, Any]] = None) -> None:
        """Keeps a value until the next `flush`; a second value of the same name replaces the first."""
        if settings.is_disabled():
            return
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            log.warning("%s: %r is no number; left out", name, value)
            return
        with self._lock:
            self._metrics[str(name)] = number
            self._tags.pop(str(name), None)
            if tags:
                self._tags[str(name)] = {str(key): str(label) for key, label in tags.items()}

    def flush(self, operation: str, info: Optional[Mapping[str, Any]] = None) -> Optional[str]:
        """Stores what was recorded as one run, and sends it where `MANOMETER_URL` names a server.

        `info` may hold `type` (else the operation), `duration` in seconds, `success` and `git_commit`; everything else
        in it is kept in the record. Gives the run's id; `None` where nothing could be stored or sent. Never raises.
        """
        try:
            flushed = self.flush_with(operation, info)
        except Exception:  # noqa: BLE001 - a build must not fail of its measurement
            log.warning("failed to record %s", operation, exc_info=True)
            return None
        for problem in flushed.problems:
            log.warning("%s", problem)
        return flushed.run_id

    def flush_with(
        self, operation: str, info: Optional[Mapping[str, Any]] = None, extra_rows: Iterable[sending.Row] = ()
    ) -> "Flushed":
        """As `flush`, telling what became of it. `extra_rows` go to the server beside the record; what they leave out
        about their run is filled in."""
        with self._lock:
            metrics, tags = self._metrics, self._tags
            self._metrics, self._tags = {}, {}
        flushed = Flushed()
        if settings.is_disabled():
            return flushed
        now = datetime.now(timezone.utc)
        around = look_around()
        record = _record(str(operation), dict(info or {}), metrics, tags, now)
        record["git_commit"] = record["git_commit"] or around.commit_sha
        for name in ("project", "service", "branch"):
            if getattr(around, name):
                record.setdefault(name, getattr(around, name))
        try:
            flushed.path = store.append(store.folder_for(self._path), record, now)
            flushed.run_id = record["run_id"]
        except store.StoreError as error:
            flushed.problems.append(str(error))
        if settings.server():
            place = around.columns(record["run_id"])
            if around.job_id:
                place["job_id"] = around.job_id
            if around.job_name:
                place["job_name"] = around.job_name
            rows = sending.rows_of(record, around)
            rows.extend({**place, **row} for row in extra_rows)
            try:
                flushed.server = sending.send(rows, record["run_id"])
                flushed.run_id = record["run_id"]
            except sending.SendError as error:
                flushed.problems.append(f"not sent: {error}")
        return flushed


class Flushed:
    """What became of a record."""

    def __init__(self) -> None:
        self.run_id: Optional[str] = None
        self.path: Optional[Path] = None
        self.server: Optional[str] = None
        self.problems: list = []


def _record(
    operation: str, info: Dict[str, Any], metrics: Dict[str, float], tags: Dict[str, Dict[str, str]], now: datetime
) -> Dict[str, Any]:
    given = {name: info.pop(name, None) for name in _OWN_FIELDS}
    record: Dict[str, Any] = {
        "run_id": str(uuid.uuid4()),
        "type": str(given["type"] or operation),
        "timestamp": now.isoformat(timespec="microseconds"),
        "git_commit": given["git_commit"],
        "metrics": metrics,
        "tags": tags,
        "operation": operation,
        "duration": _duration(given["duration"]),
        "success": None if given["success"] is None else bool(given["success"]),
    }
    for name, value in info.items():
        # A field of the record's own is kept under another name rather than lost.
        key = f"info_{name}" if name in _FIXED_FIELDS else str(name)
        record[key] = _as_json(value)
    return record


def _duration(value: Any) -> Optional[float]:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def _as_json(value: Any) -> Any:
    """What JSON cannot say, as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _as_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(entry) for entry in value]
    return str(value)

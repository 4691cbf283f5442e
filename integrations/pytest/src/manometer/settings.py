"""Every environment variable this package reads, at the moment it is needed: a program may set them itself."""

import logging
import os
from pathlib import Path
from typing import Optional

log = logging.getLogger("manometer")

_TRUE = {"1", "true", "yes", "on"}


def _first(*names: str) -> Optional[str]:
    for name in names:
        value = os.environ.get(name)
        if value:
            return value
    return None


def is_disabled() -> bool:
    """Is recording switched off?"""
    value = _first("MANOMETER_DISABLED", "PANTHER_METRICS_DISABLED")
    return value is not None and value.strip().lower() in _TRUE


def store_path() -> Optional[Path]:
    """The folder of the local store, where one is named."""
    value = _first("MANOMETER_PATH", "PANTHER_METRICS_PATH")
    return Path(value) if value else None


def sample_interval() -> float:
    """Seconds between two looks at memory and load; 0 for none."""
    return _seconds(("MANOMETER_SAMPLE_INTERVAL", "PANTHER_METRICS_SAMPLE_INTERVAL"), 1.0)


def send_seconds() -> float:
    """Longest time that sending may take."""
    return _seconds(("MANOMETER_SEND_SECONDS",), 2.0)


def server() -> Optional[str]:
    """Address of the server, where one is named."""
    value = _first("MANOMETER_URL")
    return value.rstrip("/") if value else None


def token() -> Optional[str]:
    """Token for the server."""
    return _first("MANOMETER_TOKEN")


def _seconds(names: tuple, default: float) -> float:
    value = _first(*names)
    if value is None:
        return default
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < 86_400.0:
        log.warning("%s: `%s` is no number of seconds; taken as %s", names[0], value, default)
        return default
    return seconds

"""The unit that the name of a metric tells, by the same rules as the program `manometer`."""

import re

_UNITS = {
    "seconds": "seconds",
    "duration": "seconds",
    "secs": "seconds",
    "s": "seconds",
    "ms": "milliseconds",
    "milliseconds": "milliseconds",
    "millis": "milliseconds",
    "mb": "megabytes",
    "megabytes": "megabytes",
    "bytes": "bytes",
    "pct": "percent",
    "percent": "percent",
    "percentage": "percent",
    "load": "percent",
    "success": "boolean",
}


def unit_of(name: str) -> str:
    """`container.build_seconds`: `seconds`; a number of something where the name does not tell."""
    return _UNITS.get(re.split(r"[._]", name)[-1], "count")

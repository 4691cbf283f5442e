"""Records metrics of builds, tests and anything else, where `manometer ls` finds them.

    from manometer import record, flush

    record("custom.processing_time", 5.2, {"component": "parser"})
    run_id = flush("custom_operation")
"""

from typing import Any, Mapping, Optional

from .collector import MetricsCollector
from .sampler import ResourceSampler

__all__ = ["MetricsCollector", "ResourceSampler", "flush", "record"]

_default = MetricsCollector()


def record(name: str, value: float, tags: Optional[Mapping[str, Any]] = None) -> None:
    """Keeps a value until the next `flush`; a second value of the same name replaces the first."""
    _default.record(name, value, tags)


def flush(operation: str, info: Optional[Mapping[str, Any]] = None) -> Optional[str]:
    """Stores everything recorded since the last `flush` as one run and gives its id."""
    return _default.flush(operation, info)

"""The line coverage that pytest-cov measured."""

import json
import os
import tempfile
from typing import Any, NamedTuple, Optional

from .settings import log


class LineCoverage(NamedTuple):
    """Lines of all files that the coverage report names."""

    covered: Optional[int]
    valid: Optional[int]
    percent: float


def of_session(config: Any) -> Optional[LineCoverage]:
    """What pytest-cov measured in this session; `None` where it did not run, or found no line."""
    plugin = config.pluginmanager.getplugin("_cov")
    coverage = getattr(getattr(plugin, "cov_controller", None), "cov", None)
    if coverage is None or getattr(plugin, "_disabled", False):
        return None
    try:
        return _counted(coverage)
    except Exception:  # noqa: BLE001 - coverage raises where nothing was measured
        log.debug("failed to count the covered lines", exc_info=True)
    # With branches measured this is no line coverage, and still better than nothing.
    total = getattr(plugin, "cov_total", None)
    return LineCoverage(None, None, float(total)) if total else None


def _counted(coverage: Any) -> Optional[LineCoverage]:
    with tempfile.TemporaryDirectory(prefix="manometer-") as folder:
        path = os.path.join(folder, "coverage.json")
        coverage.json_report(outfile=path)
        with open(path, encoding="utf-8") as file:
            totals = json.load(file)["totals"]
    covered, valid = totals["covered_lines"], totals["num_statements"]
    return LineCoverage(covered, valid, round(100.0 * covered / valid, 4)) if valid else None

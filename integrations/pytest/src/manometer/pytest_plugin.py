"""The pytest plugin: one record a session, written by the process that leads it."""

import os
import time
from typing import Any, Dict, List, Optional

import pytest

from . import coverage_total, settings
from .collector import Flushed, MetricsCollector
from .sampler import ResourceSampler
from .test_log import ERROR, FAILED, Execution, TestLog

_NAME = "manometer-session"
#: Most bytes of tests in one record of the local store, about; a server gets all of them.
_TESTS_BYTES = 8 << 20


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("manometer")
    group.addoption(
        "--manometer-operation",
        metavar="NAME",
        default="pytest",
        help="name of what is tested, by which runs are compared (default: pytest)",
    )


def pytest_configure(config: Any) -> None:
    is_worker = hasattr(config, "workerinput")
    # A test that runs pytest inside itself is no session worth keeping.
    is_inner = "PYTEST_CURRENT_TEST" in os.environ
    is_only_listing = getattr(config.option, "collectonly", False)
    if not (is_worker or is_inner or is_only_listing or settings.is_disabled()):
        config.pluginmanager.register(Session(config), _NAME)


def pytest_unconfigure(config: Any) -> None:
    session = config.pluginmanager.unregister(name=_NAME)
    if session is not None:
        session.sampler.stop()


class Session:
    """Listens to one session."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.log = TestLog()
        self.sampler = ResourceSampler()
        self.begin = time.monotonic()
        self.collected: Optional[int] = None
        self.flushed: Optional[Flushed] = None
        self.problem: Optional[str] = None
        self.sampler.start()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.log.add(report)

    def pytest_collectreport(self, report: Any) -> None:
        self.log.add_collection(report)

    def pytest_collection_finish(self, session: Any) -> None:
        # Under pytest-xdist the leading process collects nothing itself.
        if session.items or self.collected is None:
            self.collected = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: List[str]) -> None:
        # Every worker collects the same tests.
        self.collected = max(self.collected or 0, len(ids))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        try:
            self.flushed = self._flush(int(exitstatus))
        except Exception as error:  # noqa: BLE001 - a test run must not fail of its measurement
            self.problem = f"failed to record this run: {type(error).__name__}: {error}"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        problems = list(self.flushed.problems) if self.flushed else []
        if self.problem:
            problems.append(self.problem)
        for problem in problems:
            terminalreporter.write_line(f"manometer: {problem}", yellow=True)
        flushed = self.flushed
        if flushed and flushed.run_id and terminalreporter.verbosity >= 0:
            places = [str(place) for place in (flushed.path, flushed.server) if place]
            terminalreporter.write_line(f"manometer: run {flushed.run_id} → {', '.join(places)}")

    def _flush(self, exit_status: int) -> Flushed:
        seconds = time.monotonic() - self.begin
        counts = self.log.counts()
        collected = self.collected
        if collected is None:
            collected = len({execution.nodeid for execution in self.log.executions})
        collector = MetricsCollector()
        values: Dict[str, float] = {
            "pytest.total_seconds": round(seconds, 6),
            "pytest.item_count": collected,
            **{f"pytest.{name}": count for name, count in counts.items()},
            "test.suite_success": float(exit_status == 0),
            **self.sampler.stop(),
        }
        rows = self._test_rows()
        coverage = coverage_total.of_session(self.config)
        if coverage is not None:
            values["pytest.coverage_pct"] = coverage.percent
            if coverage.valid is not None:
                lines = {"lines_covered": coverage.covered, "lines_valid": coverage.valid}
                rows.append({"type": "coverage", "scope": "total", **lines})
        for name, value in values.items():
            collector.record(name, value)
        tests = worth_keeping(self.log.executions + self.log.collection_errors)
        info = {
            "type": "tests",
            "duration": round(seconds, 6),
            "success": exit_status == 0,
            "exit_status": exit_status,
            "pytest_version": pytest.__version__,
            "tests": tests,
        }
        left_out = len(self.log.executions) + len(self.log.collection_errors) - len(tests)
        if left_out:
            info["tests_left_out"] = left_out
        return collector.flush_with(self.config.getoption("manometer_operation"), info, rows)

    def _test_rows(self) -> List[Dict[str, Any]]:
        # The suite's name is part of a test's identity: the same as in pytest's own JUnit report, so that both tell of
        # one test.
        suite = self.config.getini("junit_suite_name") if _knows_junit(self.config) else "pytest"
        executions = self.log.executions + self.log.collection_errors
        return [{"type": "test", "suite": suite, **execution.row()} for execution in executions]


def _knows_junit(config: Any) -> bool:
    return config.pluginmanager.hasplugin("junitxml")


def worth_keeping(executions: List[Execution]) -> List[Dict[str, Any]]:
    """All tests while they are few; of very many those that failed, then the slowest."""
    rows = [execution.row() for execution in executions]
    room = _TESTS_BYTES - sum(_size(row) for row in rows)
    if room >= 0:
        return rows
    order = sorted(
        range(len(rows)), key=lambda at: (executions[at].status not in (FAILED, ERROR), -executions[at].seconds)
    )
    kept, used = set(), 0
    for at in order:
        used += _size(rows[at])
        if used > _TESTS_BYTES:
            break
        kept.add(at)
    return [row for at, row in enumerate(rows) if at in kept]


def _size(row: Dict[str, Any]) -> int:
    # Six bytes for a letter that is no ASCII.
    return sum(len(name) + 8 + len(str(value)) for name, value in row.items()) + sum(
        5 for value in row.values() for letter in str(value) if letter > "\x7f"
    )

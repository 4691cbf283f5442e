"""What became of each test, from the reports of its phases.

A test is reported up to three times (setup, call, teardown), by workers in any order of tests, and again for each
re-run. Fixed here, as in pytest's own JUnit report: a failing call is `failed`, a failing setup or teardown `error`, an
expected failure `skipped`.
"""

import re
from typing import Any, Dict, List, Optional, Tuple

PASSED, FAILED, ERROR, SKIPPED = "passed", "failed", "error", "skipped"
_MESSAGE_LETTERS = 2_000


class Execution:
    """One execution of one test."""

    def __init__(self, nodeid: str, attempt: int) -> None:
        self.nodeid = nodeid
        self.attempt = attempt
        self.is_final = True
        #: What holds if no further report comes: somebody stopped the session, or the worker with it.
        self.status = ERROR
        self.is_judged = False
        self.seconds = 0.0
        self.file: Optional[str] = None
        self.line: Optional[int] = None
        self.failure_kind: Optional[str] = None
        self.failure_message: Optional[str] = "did not finish"

    def row(self) -> Dict[str, Any]:
        """As a record of the table `tests`; unknown fields are left out."""
        classname, name, parameters = split_nodeid(self.nodeid)
        row = {
            "classname": classname,
            "name": name,
            "parameters": parameters,
            "file": self.file,
            "line": self.line,
            "status": self.status,
            "duration_seconds": round(self.seconds, 6),
            "attempt": self.attempt if self.attempt > 1 else None,
            "is_final": None if self.is_final else False,
            "failure_kind": self.failure_kind,
            "failure_message": self.failure_message,
        }
        return {name: value for name, value in row.items() if value is not None}


class TestLog:
    """All executions, in the order they began."""

    __test__ = False

    def __init__(self) -> None:
        self.executions: List[Execution] = []
        self._open: Dict[str, Execution] = {}
        self._next_attempt: Dict[str, int] = {}
        self._failed_parts: set = set()
        self.collection_errors: List[Execution] = []

    def add(self, report: Any) -> None:
        """Takes the report of one phase of one test."""
        nodeid = report.nodeid
        if _is_part(report):
            # A subtest: reported under its test's name, in the middle of its call.
            if report.outcome == FAILED:
                self._failed_parts.add(nodeid)
            return
        execution = self._open.get(nodeid)
        if execution is None or report.when == "setup":
            execution = self._begin(nodeid)
        execution.seconds += getattr(report, "duration", 0.0) or 0.0
        location = getattr(report, "location", None)
        if location and execution.file is None:
            execution.file = str(location[0]).replace("\\", "/")
            execution.line = location[1] + 1 if isinstance(location[1], int) else None
        if report.outcome == "rerun":
            # pytest-rerunfailures: this execution failed and another one follows.
            _fail(execution, FAILED, report)
            execution.is_final = False
            self._next_attempt[nodeid] = execution.attempt + 1
            return
        self._judge(execution, report)
        if report.when == "teardown":
            self._open.pop(nodeid, None)

    def add_collection(self, report: Any) -> None:
        """Takes the report on a file that could not be collected."""
        if report.outcome == FAILED:
            execution = Execution(report.nodeid, 1)
            _fail(execution, ERROR, report)
            self.collection_errors.append(execution)

    def counts(self) -> Dict[str, int]:
        """How many tests ended how, each counted once."""
        final = [execution.status for execution in self.executions if execution.is_final]
        return {
            "passed": final.count(PASSED),
            "failed": final.count(FAILED),
            "skipped": final.count(SKIPPED),
            "errors": final.count(ERROR) + len(self.collection_errors),
        }

    def _begin(self, nodeid: str) -> Execution:
        execution = Execution(nodeid, self._next_attempt.pop(nodeid, 1))
        self.executions.append(execution)
        self._open[nodeid] = execution
        return execution

    def _judge(self, execution: Execution, report: Any) -> None:
        is_call = report.when == "call"
        has_failed_part = is_call and execution.nodeid in self._failed_parts
        if is_call:
            self._failed_parts.discard(execution.nodeid)
        if report.outcome == FAILED:
            # A worker that crashed reports its test with a phase of its own, "???".
            _fail(execution, FAILED if is_call else ERROR, report)
        elif has_failed_part:
            _judge(execution, FAILED, "a subtest failed")
        elif report.outcome == SKIPPED:
            _judge(execution, SKIPPED, None)
        elif is_call:
            _judge(execution, PASSED, None)


def split_nodeid(nodeid: str) -> Tuple[Optional[str], str, Optional[str]]:
    """Class name, name and parameters, as they come out of pytest's own JUnit report: its `mangle_test_address`."""
    address, bracket, rest = nodeid.partition("[")
    names = address.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    parameters = None
    if bracket and rest.endswith("]"):
        parameters = rest[:-1]
    elif bracket:
        names[-1] += bracket + rest
    return ".".join(names[:-1]) or None, names[-1], parameters


def _is_part(report: Any) -> bool:
    return type(report).__name__ in ("SubtestReport", "SubTestReport")


def _judge(execution: Execution, status: str, message: Optional[str]) -> bool:
    # The first failure is the cause: a teardown often fails because the call did.
    if execution.is_judged and execution.status in (FAILED, ERROR):
        return False
    execution.status, execution.failure_message, execution.is_judged = status, message, True
    return True


def _fail(execution: Execution, status: str, report: Any) -> None:
    longrepr = getattr(report, "longrepr", None)
    crash = getattr(longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else str(longrepr or "")
    message = text.strip()[:_MESSAGE_LETTERS]
    if not _judge(execution, status, message or None):
        return
    kind = re.match(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning|Failed))\b", message)
    if kind:
        execution.failure_kind = kind.group(1)
    elif message.startswith("assert "):
        execution.failure_kind = "AssertionError"

"""What a session of pytest leaves in the local store."""

import importlib.metadata
import json
import os

import pytest

from manometer.pytest_plugin import worth_keeping
from manometer.test_log import Execution

SHOP = """
def total(a, b):
    if a < 0:
        return 0
    return a + b


def never_called():
    return 1
"""
TESTS = """
import pytest, shop

@pytest.mark.parametrize("a", [1, 2, 3])
def test_total(a):
    assert shop.total(a, 1) == a + 1

class TestMore:
    def test_fails(self):
        assert shop.total(1, 1) == 3

    @pytest.mark.skip
    def test_skipped(self): pass

    @pytest.mark.xfail
    def test_expected_to_fail(self): assert 0

    @pytest.mark.xfail(strict=True)
    def test_expected_to_fail_and_passes(self): pass

@pytest.fixture
def broken(): raise ValueError("no")

def test_setup_fails(broken): pass

@pytest.fixture
def broken_end():
    yield
    raise OSError("too late")

def test_teardown_fails(broken_end): pass
"""
FLAKY = """
import os

def test_flaky():
    turn = int(os.environ.get("TURN", 0))
    os.environ["TURN"] = str(turn + 1)
    assert turn == 2
"""
PARTS = """
def test_parts(subtests):
    for part in range(3):
        with subtests.test(part=part):
            assert part != 1
"""
INNER = """
pytest_plugins = ["pytester"]

def test_inner(pytester):
    pytester.makepyfile("def test_x(): pass")
    pytester.runpytest().assert_outcomes(passed=1)
    assert not list(pytester.path.glob(".manometer"))
"""
XDIST = ("-n", "2")


def counts(record):
    names = ("item_count", "passed", "failed", "skipped", "errors")
    return tuple(record["metrics"][f"pytest.{name}"] for name in names)


@pytest.mark.parametrize("how", [(), XDIST], ids=["one process", "xdist"])
def test_every_outcome_is_counted_once(project, how):
    project.write("shop.py", SHOP)
    project.write("tests/test_shop.py", TESTS)
    result = project.pytest(*how)
    assert result.returncode == 1
    record = project.record
    assert counts(record) == (9, 3, 2, 2, 2)
    assert (record["type"], record["operation"], record["success"]) == ("tests", "pytest", False)
    assert record["metrics"]["test.suite_success"] == 0.0
    assert 0 < record["metrics"]["pytest.total_seconds"] == record["duration"] < 60
    assert record["metrics"]["ram.peak_mb"] >= record["metrics"]["ram.avg_mb"] > 5
    assert f"manometer: run {record['run_id']}" in result.stdout
    status = {(test["name"], test.get("parameters")): test["status"] for test in record["tests"]}
    assert status == {
        ("test_total", "1"): "passed",
        ("test_total", "2"): "passed",
        ("test_total", "3"): "passed",
        ("test_fails", None): "failed",
        ("test_skipped", None): "skipped",
        ("test_expected_to_fail", None): "skipped",
        ("test_expected_to_fail_and_passes", None): "failed",
        ("test_setup_fails", None): "error",
        ("test_teardown_fails", None): "error",
    }
    failed = next(test for test in record["tests"] if test["name"] == "test_fails")
    assert failed["classname"] == "tests.test_shop.TestMore"
    assert (failed["file"], failed["line"]) == ("tests/test_shop.py", 9)
    assert failed["failure_kind"] == "AssertionError" and failed["failure_message"].startswith("assert 2 == 3")


@pytest.mark.parametrize("how", [(), XDIST], ids=["one process", "xdist"])
def test_coverage_is_that_of_lines_also_when_branches_are_measured(project, how):
    project.write("shop.py", SHOP)
    project.write("test_shop.py", "import shop\ndef test_total(): assert shop.total(1, 1) == 2\n")
    for more in ((), ("--cov-branch",), ("--cov-report=",)):
        assert project.pytest("--cov=shop", *how, *more).returncode == 0
    # Six statements of which `return 0` and `return 1` are not reached.
    assert [record["metrics"]["pytest.coverage_pct"] for record in project.records] == [pytest.approx(400 / 6)] * 3


def test_no_coverage_is_claimed_where_none_was_measured(project):
    project.write("test_a.py", "def test_a(): pass\n")
    assert project.pytest().returncode == 0
    assert project.pytest("--cov=missing", "--no-cov").returncode == 0
    assert all("pytest.coverage_pct" not in record["metrics"] for record in project.records)


def test_reruns_are_attempts_of_one_test(project):
    project.write("test_a.py", FLAKY)
    assert project.pytest("--reruns", "3").returncode == 0
    assert counts(project.record) == (1, 1, 0, 0, 0)
    tests = [(it["status"], it.get("attempt", 1), it.get("is_final", True)) for it in project.record["tests"]]
    assert tests == [("failed", 1, False), ("failed", 2, False), ("passed", 3, True)]


def test_a_crashed_worker_is_an_error_of_its_test_and_the_rest_is_kept(project):
    project.write("test_a.py", "import os\ndef test_crash(): os._exit(3)\ndef test_b(): pass\ndef test_c(): pass\n")
    assert project.pytest("-n", "1").returncode == 1
    assert counts(project.record) == (3, 2, 0, 0, 1)


def test_a_file_that_cannot_be_collected_is_an_error(project):
    project.write("test_a.py", "import nothing_of_this_name\n")
    project.write("test_b.py", "def test_b(): pass\n")
    assert project.pytest().returncode == 2
    record = project.record
    assert record["metrics"]["pytest.errors"] == 1 and record["exit_status"] == 2
    assert "nothing_of_this_name" in record["tests"][0]["failure_message"]


@pytest.mark.skipif(int(importlib.metadata.version("pytest").split(".")[0]) < 9, reason="subtests came with pytest 9")
def test_a_failed_subtest_fails_its_test_once(project):
    project.write("test_a.py", PARTS)
    assert project.pytest().returncode == 1
    assert counts(project.record) == (1, 0, 1, 0, 0)


def test_what_is_no_session_of_its_own_is_not_recorded(project):
    project.write("test_a.py", INNER)
    assert project.pytest().returncode == 0
    assert len(project.records) == 1
    assert project.pytest("--collect-only").returncode == 0
    assert project.pytest("-p", "no:manometer").returncode == 0
    for name in ("MANOMETER_DISABLED", "PANTHER_METRICS_DISABLED"):
        assert project.pytest(**{name: "true"}).returncode == 0
    assert len(project.records) == 1


def test_a_store_that_cannot_be_written_is_a_warning(project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("occupied", "")
    result = project.pytest(MANOMETER_PATH=str(project.folder / "occupied" / "store"))
    assert result.returncode == 0
    assert "manometer: failed to write" in result.stdout


def test_very_many_tests_keep_those_that_failed_and_the_slowest():
    executions = [Execution("tests/test_a.py::test_long[" + "é" * 9000 + f"{number}]", 1) for number in range(300)]
    for number, execution in enumerate(executions):
        execution.status = "failed" if number == 77 else "passed"
        execution.seconds = float(number)
    kept = worth_keeping(executions)
    assert 100 < len(kept) < 200 and len(json.dumps(kept)) < 12 << 20
    seconds = [row["duration_seconds"] for row in kept]
    assert seconds == [77.0, *range(300 - len(kept) + 1, 300)], "the failed one, the slowest, in their order"
    assert worth_keeping(executions[:9]) == [execution.row() for execution in executions[:9]]


def test_an_interrupted_session_is_recorded_as_far_as_it_came(project):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): raise KeyboardInterrupt\ndef test_c(): pass\n")
    assert project.pytest().returncode == 2
    record = project.record
    assert record["success"] is False
    tests = [(test["name"], test["status"], test.get("failure_message")) for test in record["tests"]]
    assert tests == [("test_a", "passed", None), ("test_b", "error", "did not finish")]


def test_the_session_runs_in_a_git_checkout_without_dirtying_it(project):
    os.rmdir(project.folder / ".git")
    assert os.system(f"git init -q {project.folder}") == 0
    project.write("test_a.py", "def test_a(): pass\n")
    assert project.pytest().returncode == 0
    status = os.popen(f"git -C {project.folder} status --short").read()
    assert ".manometer" not in status and "test_a.py" in status

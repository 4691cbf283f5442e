"""What a session sends to a server, and what a bad server costs."""

import socket
import time
from xml.etree import ElementTree

PLACE = {"MANOMETER_TOKEN": "mano_secret"}
TESTS = """
import pytest

@pytest.mark.parametrize("a", ["x", "a[b]", "["])
def test_brackets(a): pass

class TestOuter:
    class TestInner:
        def test_deep(self): assert 0

def never_called():
    return 1
"""


def write_tests(project):
    project.write("pkg/sub/test_names.py", TESTS)
    project.write("test_top.py", "def test_top(): pass\n")


def test_a_session_is_one_delivery_of_run_samples_tests_and_coverage(project, serve):
    write_tests(project)
    server = serve()
    result = project.pytest("--cov=pkg", MANOMETER_URL=server.address, CI_SERVICE_NAME="cart", **PLACE)
    assert result.returncode == 1 and server.address in result.stdout
    ((path, headers, _),) = server.deliveries
    record = project.record
    assert path == "/api/v1/records"
    assert headers["Authorization"] == "Bearer mano_secret"
    assert headers["Idempotency-Key"] == record["run_id"]
    (run,) = server.rows("run")
    assert (run["run_id"], run["provider"], run["conclusion"]) == (record["run_id"], "local", "failure")
    assert run["project"] == f"local/{project.folder.name}" and run["service"] == "cart"
    samples = {row["name"]: row for row in server.rows("sample")}
    assert set(samples) == {*record["metrics"], "duration", "success"}
    memory = samples["ram.peak_mb"]
    assert (memory["unit"], memory["at"]) == ("megabytes", record["timestamp"])
    assert memory["tags"] == {"record": record["run_id"], "record_type": "tests", "operation": "pytest"}
    (coverage,) = server.rows("coverage")
    assert coverage["scope"] == "total" and coverage["lines_valid"] > coverage["lines_covered"] > 0


def test_tests_have_the_names_of_the_junit_report(project, serve):
    write_tests(project)
    server = serve()
    project.pytest("--junit-xml=report.xml", MANOMETER_URL=server.address)
    cases = ElementTree.parse(project.folder / "report.xml").iter("testcase")
    expected = sorted((case.get("classname"), case.get("name")) for case in cases)
    rows = server.rows("test")

    def whole(row):
        return row["name"] + (f"[{row['parameters']}]" if "parameters" in row else "")

    assert sorted((row.get("classname", ""), whole(row)) for row in rows) == expected
    assert {row["suite"] for row in rows} == {"pytest"} and len(rows) == 5
    assert all(row["run_id"] == project.record["run_id"] for row in rows)


def test_in_ci_everything_belongs_to_the_run_of_the_ci_system(project, serve):
    write_tests(project)
    server = serve()
    project.write("event.json", '{"pull_request": {"head": {"sha": "feedc0de"}}}')
    project.pytest(
        MANOMETER_URL=server.address,
        GITHUB_ACTIONS="true",
        GITHUB_SERVER_URL="https://github.com",
        GITHUB_REPOSITORY="acme/shop",
        GITHUB_RUN_ID="42",
        GITHUB_RUN_ATTEMPT="2",
        GITHUB_HEAD_REF="faster",
        GITHUB_SHA="0123",
        GITHUB_EVENT_PATH=str(project.folder / "event.json"),
    )
    (run,) = server.rows("run")
    expected = {"type": "run", "provider": "github", "project": "github.com/acme/shop", "run_id": "42", "attempt": 2}
    expected.update(branch="faster", commit_sha="feedc0de")
    assert run == expected, "how the run ends is for the CI system to say"
    for row in server.rows("test") + server.rows("sample"):
        assert (row["provider"], row["run_id"], row["run_attempt"], row["branch"]) == ("github", "42", 2, "faster")


def test_a_refusal_is_told_in_the_servers_words_and_changes_nothing(project, serve):
    write_tests(project)
    server = serve(403, '{"error": {"message": "this token may not ingest"}}')
    result = project.pytest("--deselect", "pkg/sub/test_names.py::TestOuter", MANOMETER_URL=server.address)
    assert result.returncode == 0
    assert "manometer: not sent" in result.stdout and "this token may not ingest" in result.stdout
    assert project.record["success"] is True


def test_a_redirect_gets_no_token(project, serve):
    project.write("test_a.py", "def test_a(): pass\n")
    elsewhere = serve()
    server = serve(307, "", (("Location", elsewhere.address + "/api/v1/records"),))
    assert "not sent" in project.pytest(MANOMETER_URL=server.address, **PLACE).stdout
    assert elsewhere.deliveries == []


def test_a_server_that_never_answers_costs_no_more_than_the_time_allowed(project):
    project.write("test_a.py", "def test_a(): pass\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        result = project.pytest(MANOMETER_URL=address, MANOMETER_SEND_SECONDS="0.3")
        assert time.monotonic() - begin < 30
    assert result.returncode == 0 and "within 0.3 s" in result.stdout
    for address in ("http://127.0.0.1:9", "ftp://example.org", "nonsense"):
        result = project.pytest(MANOMETER_URL=address)
        assert result.returncode == 0 and "manometer: not sent" in result.stdout, address

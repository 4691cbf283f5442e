"""The program `manometer` reads what this package writes. Its path is in MANOMETER_BINARY."""

import json
import os
import subprocess

import pytest

from manometer import MetricsCollector


@pytest.fixture
def program(monkeypatch):
    path = os.environ.get("MANOMETER_BINARY")
    if not path:
        if os.environ.get("CI"):
            pytest.fail("MANOMETER_BINARY names no program")
        pytest.skip("MANOMETER_BINARY names no program to read the records with")
    monkeypatch.delenv("MANOMETER_BINARY")

    def run(*arguments):
        return subprocess.run([path, *arguments], capture_output=True, text=True, check=True, timeout=60)

    return run


def test_records_are_listed_shown_and_exported(tmp_path, program):
    collector = MetricsCollector()
    collector.record("container.build_seconds", 12.3, {"stage": "büro"})
    run_id = collector.flush("build_wheel", {"type": "build", "success": True, "duration": 12.3})
    listed = program("ls")
    assert run_id in listed.stdout and "build: 12.3s" in listed.stdout and listed.stderr == ""
    assert "container.build_seconds: 12.3s  (stage: büro)" in program("show", run_id[:8]).stdout
    (exported,) = json.loads(program("export").stdout)
    (line,) = next(iter((tmp_path / ".manometer").glob("*.jsonl"))).read_text().splitlines()
    assert exported == json.loads(line)


def test_sessions_are_compared(project, program):
    project.write("test_a.py", "def test_a(): pass\n")
    for _ in range(5):
        assert project.pytest().returncode == 0
    os.chdir(project.folder)
    report = json.loads(program("regression-check", "--format", "json", "--threshold", "900%").stdout)
    assert report["baseline"]["runs"] == 4 and report["is_worse"] is False
    assert "pytest.passed" in {metric["name"] for metric in report["metrics"]}

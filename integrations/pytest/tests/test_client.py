"""`record`, `flush`, `MetricsCollector`, `ResourceSampler`."""

import json
import logging
import math
import re
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

import manometer
from manometer import MetricsCollector, ResourceSampler
from manometer.surroundings import project_of_remote
from manometer.units import unit_of


def stored(folder):
    return [json.loads(line) for path in sorted(Path(folder).glob("*.jsonl")) for line in path.open()]


def test_a_record_has_the_documented_shape(tmp_path):
    manometer.record("custom.processing_time", 5.2, {"component": "parser"})
    manometer.record("custom.items_processed", 1000)
    run_id = manometer.flush(
        "custom_operation", {"config_hash": "abc123", "duration": 5.5, "success": True, "type": "custom"}
    )
    (record,) = stored(tmp_path / ".manometer")
    assert list(record)[:9] == "run_id type timestamp git_commit metrics tags operation duration success".split()
    assert record["run_id"] == run_id and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", run_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", record["timestamp"])
    assert record["metrics"] == {"custom.processing_time": 5.2, "custom.items_processed": 1000.0}
    assert record["tags"] == {"custom.processing_time": {"component": "parser"}}
    assert (record["type"], record["operation"]) == ("custom", "custom_operation")
    assert (record["duration"], record["success"], record["config_hash"]) == (5.5, True, "abc123")
    manometer.flush("next")
    assert stored(tmp_path / ".manometer")[1]["metrics"] == {}, "a flush takes what it stores"


def test_a_collector_writes_where_it_is_told(tmp_path):
    collector = MetricsCollector(tmp_path / "custom" / "metrics")
    collector.record("my.metric", 42.0)
    assert collector.flush("my_operation")
    assert stored(tmp_path / "custom" / "metrics")[0]["metrics"] == {"my.metric": 42.0}


def test_what_is_no_number_is_left_out_and_said(tmp_path, caplog):
    collector = MetricsCollector(tmp_path)
    with caplog.at_level(logging.WARNING, "manometer"):
        for value in (math.nan, math.inf, "much", None, [1]):
            collector.record("bad", value)
    assert len(caplog.records) == 5
    collector.record("truth", True)
    collector.flush(
        "op", {"metrics": "mine", "path": Path("/x"), "nan": math.nan, "nested": {1: [Path("y")]}, "duration": "?"}
    )
    (record,) = stored(tmp_path)
    assert record["metrics"] == {"truth": 1.0} and record["info_metrics"] == "mine"
    assert (record["path"], record["nan"], record["nested"]) == ("/x", "nan", {"1": ["y"]})
    assert record["duration"] is None


def test_a_failure_to_store_is_logged_and_gives_no_id(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert MetricsCollector(tmp_path / "file" / "store").flush("op") is None
    assert "failed to write" in caplog.text


def test_disabled_means_disabled_also_when_the_program_says_so_itself(tmp_path, monkeypatch):
    collector = MetricsCollector(tmp_path)
    for name in ("MANOMETER_DISABLED", "PANTHER_METRICS_DISABLED"):
        monkeypatch.setenv(name, "true")
        collector.record("a", 1)
        assert collector.flush("op") is None
        monkeypatch.delenv(name)
    assert stored(tmp_path) == []
    monkeypatch.setenv("PANTHER_METRICS_PATH", str(tmp_path / "older"))
    assert MetricsCollector().flush("op") and stored(tmp_path / "older")


def test_a_torn_line_is_not_glued_to_the_next_record(tmp_path):
    collector = MetricsCollector(tmp_path)
    collector.flush("first")
    (path,) = tmp_path.glob("*.jsonl")
    with path.open("a") as file:
        file.write('{"run_id": "to')
    collector.flush("second")
    first, torn, second = path.read_text().splitlines()
    assert json.loads(first)["operation"] == "first" and json.loads(second)["operation"] == "second"
    assert torn == '{"run_id": "to'


def test_threads_lose_nothing(tmp_path):
    def work(number):
        collector = MetricsCollector(tmp_path)
        for turn in range(20):
            collector.record("number", number * 100 + turn)
            assert collector.flush("op", {"filling": "x" * 9000})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {record["metrics"]["number"] for record in stored(tmp_path)}
    assert numbers == {number * 100 + turn for number in range(8) for turn in range(20)}


def test_the_sampler_sees_load_and_memory_of_this_process(tmp_path):
    sampler = ResourceSampler(interval=0.05)
    sampler.start()
    ballast = bytearray(40 << 20)
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass
    metrics = sampler.stop()
    assert sorted(metrics) == ["cpu.avg_load", "cpu.max_load", "ram.avg_mb", "ram.peak_mb"]
    assert 1 < metrics["cpu.avg_load"] <= metrics["cpu.max_load"]
    assert metrics["ram.peak_mb"] >= 40 and len(ballast)
    assert sampler.stop() == metrics, "a second stop changes nothing"
    with ResourceSampler(interval=0) as quiet:
        pass
    assert "ram.peak_mb" in quiet.metrics


def test_remotes_of_every_shape_name_the_project_without_secrets():
    for remote in (
        "git@github.com:acme/shop.git",
        "https://github.com/acme/shop",
        "https://token:x-oauth@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
    ):
        assert project_of_remote(remote) == "github.com/acme/shop", remote
    for remote in ("/srv/git/shop.git", "file:///srv/git/shop.git", "../shop", "", None):
        assert project_of_remote(remote) is None, remote


@pytest.mark.parametrize(
    "name, unit",
    [
        ("container.build_seconds", "seconds"),
        ("ram.peak_mb", "megabytes"),
        ("pytest.coverage_pct", "percent"),
        ("pytest.passed", "count"),
        ("duration", "seconds"),
    ],
)
def test_the_end_of_a_name_tells_the_unit(name, unit):
    assert unit_of(name) == unit


def test_times_are_read_back(tmp_path):
    MetricsCollector(tmp_path).flush("op")
    (path,) = tmp_path.glob("*.jsonl")
    time_of_record = datetime.fromisoformat(stored(tmp_path)[0]["timestamp"])
    assert path.stem == f"{time_of_record:%Y-%m-%d}"

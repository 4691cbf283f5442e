"""A project in a temporary folder, and pytest run in it as users run it: a process of its own."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

CI_VARIABLES = ("GITHUB_", "GITLAB_", "CI_", "JENKINS_", "BUILDKITE", "BUILD_", "TF_BUILD")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """Nothing of the machine's own settings or of a CI system gets into a test."""
    for name in list(os.environ):
        if name.startswith(("MANOMETER_", "PANTHER_", *CI_VARIABLES)) and name != "MANOMETER_BINARY":
            monkeypatch.delenv(name)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.chdir(tmp_path)


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".git").mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pytest(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        environment.update(variables, PYTHONPATH=str(self.folder))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)

    @property
    def records(self) -> list:
        files = sorted((self.folder / ".manometer").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    @property
    def record(self) -> dict:
        (only,) = self.records
        return only


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


class Server:
    """Takes deliveries as `manometer serve` does, and remembers them."""

    def __init__(self, status: int = 201, body: str = '{"status":"committed"}', headers: tuple = ()) -> None:
        self.deliveries = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                server.deliveries.append((self.path, dict(self.headers), content.decode()))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_) -> None:
                pass

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def rows(self, kind: str) -> list:
        rows = [json.loads(line) for _, _, content in self.deliveries for line in content.splitlines()]
        return [row for row in rows if row["type"] == kind]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def serve():
    servers = []

    def start(*arguments, **named):
        servers.append(Server(*arguments, **named))
        return servers[-1]

    yield start
    for server in servers:
        server.close()

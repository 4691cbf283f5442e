"""Sends a record to a server as rows of its tables."""

import json
import threading
import urllib.error
import urllib.request
from typing import Any, Dict, Iterable, List, Mapping, Optional

from . import settings
from .surroundings import LOCAL, Surroundings
from .units import unit_of

Row = Dict[str, Any]


class SendError(Exception):
    """The server did not take it."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


def rows_of(record: Mapping[str, Any], around: Surroundings) -> List[Row]:
    """The record as rows: its run, and a sample for each metric."""
    own_id, at = record["run_id"], record["timestamp"]
    run = {"type": "run", **around.columns(own_id, "attempt")}
    if around.provider == LOCAL:
        # Nobody else will tell how this run ended.
        run.update(pipeline=record["operation"], status="completed", trigger="manual", finished_at=at, updated_at=at)
        run["labels"] = {"type": record["type"]}
        if record["success"] is not None:
            run["conclusion"] = "success" if record["success"] else "failure"
        if record["duration"] is not None:
            run["duration_seconds"] = record["duration"]
    place = {**around.columns(own_id), "commit_sha": record["git_commit"]}
    if around.job_id:
        place["job_id"] = around.job_id
    values = dict(record["metrics"])
    if record["duration"] is not None:
        values.setdefault("duration", record["duration"])
    if record["success"] is not None:
        values.setdefault("success", float(record["success"]))
    rows: List[Row] = [run]
    for name, value in values.items():
        tags = {**record["tags"].get(name, {}), "record": own_id, "record_type": record["type"]}
        if record["operation"] is not None:
            tags["operation"] = record["operation"]
        rows.append(
            {"type": "sample", **place, "name": name, "value": value, "unit": unit_of(name), "tags": tags, "at": at}
        )
    return rows


def send(rows: Iterable[Row], idempotency_key: str) -> str:
    """Sends rows as one delivery and gives the server's address. Sent again under the same key it has no second effect.

    Takes no longer than `MANOMETER_SEND_SECONDS`.
    """
    address = settings.server()
    if address is None:
        raise SendError("MANOMETER_URL names no server")
    if not address.startswith(("http://", "https://")):
        raise SendError(f"MANOMETER_URL: `{address}` is not an address such as http://127.0.0.1:8420")
    body = "".join(json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows).encode()
    request = urllib.request.Request(
        f"{address}/api/v1/records",
        data=body,
        method="POST",
        headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": idempotency_key},
    )
    if settings.token():
        request.add_header("Authorization", f"Bearer {settings.token()}")
    # In a thread of its own: a time limit on sockets counts from byte to byte, not from start to end.
    seconds = settings.send_seconds()
    outcome: List[Optional[Exception]] = []
    thread = threading.Thread(target=lambda: outcome.append(_post(request, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise SendError(f"{address} did not answer within {seconds:g} s")
    if outcome[0] is not None:
        raise SendError(f"{address}: {outcome[0]}")
    return address


def _post(request: urllib.request.Request, seconds: float) -> Optional[Exception]:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        # Whoever waits for this gives up first, so that one time limit has one message; this one only ends the thread.
        with opener.open(request, timeout=2 * seconds + 1) as answer:
            answer.read(1 << 20)
        return None
    except urllib.error.HTTPError as error:
        return SendError(f"{error.code} {_message(error)}")
    except Exception as error:  # noqa: BLE001 - whatever it is, a build must not fail of it
        return error


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read(1 << 16).decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:200] or error.reason

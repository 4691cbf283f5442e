"""Receives GitHub's `workflow_job` webhooks the way a team would write it in an afternoon: Flask takes the request,
`hmac` checks the signature, SQLAlchemy's ORM keeps run, job and steps in PostgreSQL, and the answer is given after the
commit. Served by gunicorn:

    gunicorn --workers 5 --worker-class gthread --threads 16 webhooks_flask:app

DATABASE_URL and WEBHOOK_SECRET come from the environment.
"""

import hashlib
import hmac
import os
from datetime import datetime

from flask import Flask, abort, jsonify, request
from sqlalchemy import BigInteger, DateTime, ForeignKey, String, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

ORDER = {"queued": 1, "waiting": 2, "in_progress": 3, "completed": 4}


class Base(DeclarativeBase):
    pass


class Delivery(Base):
    __tablename__ = "deliveries"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    event: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    repository: Mapped[str]
    workflow: Mapped[str | None]
    branch: Mapped[str | None]
    sha: Mapped[str | None]


class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    run_id: Mapped[int] = mapped_column(BigInteger, index=True)
    attempt: Mapped[int]
    name: Mapped[str]
    status: Mapped[str]
    conclusion: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    runner_name: Mapped[str | None]
    runner_group: Mapped[str | None]
    labels: Mapped[str | None]


class Step(Base):
    __tablename__ = "steps"
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    conclusion: Mapped[str | None]
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


engine = create_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=0)
Session = sessionmaker(engine)
secret = os.environ["WEBHOOK_SECRET"].encode()
app = Flask(__name__)


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def store(delivery, event, payload):
    with Session() as session:
        if session.get(Delivery, delivery) is not None:
            return 208
        session.add(Delivery(id=delivery, event=event, received_at=datetime.now().astimezone()))
        told = payload["workflow_job"]
        session.merge(
            Run(
                id=told["run_id"],
                attempt=told["run_attempt"],
                repository=payload["repository"]["full_name"],
                workflow=told.get("workflow_name"),
                branch=told.get("head_branch"),
                sha=told.get("head_sha"),
            )
        )
        known = session.get(Job, told["id"])
        if known is None or ORDER.get(known.status, 0) <= ORDER.get(told["status"], 0):
            session.merge(
                Job(
                    id=told["id"],
                    run_id=told["run_id"],
                    attempt=told["run_attempt"],
                    name=told["name"],
                    status=told["status"],
                    conclusion=told.get("conclusion"),
                    created_at=moment(told.get("created_at")),
                    started_at=moment(told.get("started_at")),
                    completed_at=moment(told.get("completed_at")),
                    runner_name=told.get("runner_name"),
                    runner_group=told.get("runner_group_name"),
                    labels=",".join(told.get("labels", [])),
                )
            )
        if told["status"] == "completed":
            session.flush()
            for step in told.get("steps", []):
                session.merge(
                    Step(
                        job_id=told["id"],
                        number=step["number"],
                        name=step["name"],
                        conclusion=step.get("conclusion"),
                        started_at=moment(step.get("started_at")),
                        completed_at=moment(step.get("completed_at")),
                    )
                )
        session.commit()
        return 201


@app.post("/webhooks/github")
def receive():
    body = request.get_data()
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        abort(401)
    delivery, event = request.headers["X-GitHub-Delivery"], request.headers["X-GitHub-Event"]
    payload = request.get_json()
    try:
        status = store(delivery, event, payload)
    except IntegrityError:
        # Another event of the same run was being stored: now it is there.
        status = store(delivery, event, payload)
    return jsonify(status="stored"), status


@app.get("/ready")
def ready():
    return jsonify(status="ready")


if __name__ == "__main__":
    Base.metadata.create_all(engine)

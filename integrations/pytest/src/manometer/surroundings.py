"""Which run of which project this is: what the CI system's variables say, else git."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

LOCAL = "local"
_GIT_SECONDS = 2.0


@dataclass
class Surroundings:
    """What is known; `None` is not known."""

    provider: str = LOCAL
    project: Optional[str] = None
    service: Optional[str] = None
    pipeline: Optional[str] = None
    run_id: Optional[str] = None
    attempt: int = 1
    job_id: Optional[str] = None
    job_name: Optional[str] = None
    branch: Optional[str] = None
    commit_sha: Optional[str] = None

    def columns(self, own_run_id: str, attempt_column: str = "run_attempt") -> Dict[str, Any]:
        """The columns that say which run a row belongs to. Outside of CI the record is a run of its own."""
        columns = {
            "provider": self.provider,
            "project": self.project,
            "service": self.service,
            "pipeline": self.pipeline,
            "run_id": self.run_id or own_run_id,
            attempt_column: self.attempt,
            "branch": self.branch,
            "commit_sha": self.commit_sha,
        }
        return {name: value for name, value in columns.items() if value is not None}


def look_around() -> Surroundings:
    """Looks at the environment and at git."""
    found = Surroundings()
    for is_here, read in _SYSTEMS:
        if is_here():
            read(found)
            break
    found.service = _variable("CI_SERVICE_NAME")
    found.commit_sha = found.commit_sha or _git("rev-parse", "--verify", "--quiet", "HEAD")
    found.branch = found.branch or _git("symbolic-ref", "--quiet", "--short", "HEAD")
    if found.project is None:
        found.project = project_of_remote(_git("config", "--get", "remote.origin.url"))
    if found.project is None and found.provider == LOCAL:
        root = _git("rev-parse", "--show-toplevel") or os.getcwd()
        found.project = f"local/{os.path.basename(root) or 'unknown'}"
    return found


def project_of_remote(remote: Optional[str]) -> Optional[str]:
    """`git@github.com:acme/shop.git`, `https://user@github.com/acme/shop` and the like as `github.com/acme/shop`."""
    if not remote:
        return None
    scheme, separator, rest = remote.partition("://")
    if separator:
        if scheme == "file":
            return None
        authority, _, path = rest.partition("/")
    else:
        authority, _, path = remote.partition(":")
        if "/" in authority:
            return None
    host = authority.rpartition("@")[2].partition(":")[0]
    path = path.strip("/")
    path = path[:-4] if path.endswith(".git") else path
    return f"{host}/{path}" if host and path else None


def _variable(name: str) -> Optional[str]:
    return os.environ.get(name) or None


def _number(name: str) -> int:
    try:
        return max(1, int(os.environ.get(name, "1")))
    except ValueError:
        return 1


def _git(*arguments: str) -> Optional[str]:
    try:
        output = subprocess.run(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return output.decode("utf-8", "replace").strip() or None


def _github(found: Surroundings) -> None:
    found.provider = "github"
    host = (_variable("GITHUB_SERVER_URL") or "https://github.com").partition("://")[2]
    repository = _variable("GITHUB_REPOSITORY")
    found.project = f"{host}/{repository}" if repository else None
    found.pipeline = _variable("GITHUB_WORKFLOW")
    found.run_id = _variable("GITHUB_RUN_ID")
    found.attempt = _number("GITHUB_RUN_ATTEMPT")
    found.job_id = _variable("CI_JOB_CHECK_RUN_ID")
    found.job_name = _variable("GITHUB_JOB")
    found.branch = _variable("GITHUB_HEAD_REF")
    if found.branch is None and _variable("GITHUB_REF_TYPE") == "branch":
        found.branch = _variable("GITHUB_REF_NAME")
    # Of a pull request GITHUB_SHA is a merge made for testing, which nobody will find in the history.
    found.commit_sha = _head_of_pull_request() or _variable("GITHUB_SHA")


def _head_of_pull_request() -> Optional[str]:
    path = _variable("GITHUB_EVENT_PATH")
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            sha = json.load(file)["pull_request"]["head"]["sha"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha if isinstance(sha, str) else None


def _gitlab(found: Surroundings) -> None:
    found.provider = "gitlab"
    found.project = project_of_remote(_variable("CI_PROJECT_URL"))
    found.pipeline = _variable("CI_PIPELINE_NAME")
    found.run_id = _variable("CI_PIPELINE_ID")
    found.job_id = _variable("CI_JOB_ID")
    found.job_name = _variable("CI_JOB_NAME")
    found.branch = _variable("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or _variable("CI_COMMIT_BRANCH")
    found.commit_sha = _variable("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or _variable("CI_COMMIT_SHA")


def _jenkins(found: Surroundings) -> None:
    found.provider = "jenkins"
    job, build = _variable("JOB_NAME"), _variable("BUILD_NUMBER")
    found.project = project_of_remote(_variable("GIT_URL"))
    found.pipeline = job
    found.run_id = f"{job}#{build}" if job and build else None
    branch = _variable("CHANGE_BRANCH") or _variable("BRANCH_NAME") or _variable("GIT_BRANCH")
    found.branch = branch[len("origin/") :] if branch and branch.startswith("origin/") else branch
    found.commit_sha = _variable("GIT_COMMIT")


def _buildkite(found: Surroundings) -> None:
    found.provider = "buildkite"
    found.project = project_of_remote(_variable("BUILDKITE_REPO"))
    found.pipeline = _variable("BUILDKITE_PIPELINE_SLUG")
    found.run_id = _variable("BUILDKITE_BUILD_ID")
    found.job_id = _variable("BUILDKITE_JOB_ID")
    found.job_name = _variable("BUILDKITE_LABEL")
    found.branch = _variable("BUILDKITE_BRANCH")
    found.commit_sha = _variable("BUILDKITE_COMMIT")


def _azure(found: Surroundings) -> None:
    found.provider = "azure"
    found.project = project_of_remote(_variable("BUILD_REPOSITORY_URI"))
    found.pipeline = _variable("BUILD_DEFINITIONNAME")
    found.run_id = _variable("BUILD_BUILDID")
    found.job_id = _variable("SYSTEM_JOBID")
    found.job_name = _variable("SYSTEM_JOBDISPLAYNAME")
    found.branch = _variable("SYSTEM_PULLREQUEST_SOURCEBRANCH") or _variable("BUILD_SOURCEBRANCH")
    prefix = "refs/heads/"
    if found.branch and found.branch.startswith(prefix):
        found.branch = found.branch[len(prefix) :]
    found.commit_sha = _variable("SYSTEM_PULLREQUEST_SOURCECOMMITID") or _variable("BUILD_SOURCEVERSION")


_SYSTEMS: List[tuple] = [
    (lambda: _variable("JENKINS_URL") and _variable("BUILD_NUMBER"), _jenkins),
    (lambda: _variable("BUILDKITE") == "true", _buildkite),
    (lambda: _variable("GITLAB_CI") == "true", _gitlab),
    (lambda: _variable("TF_BUILD") is not None, _azure),
    (lambda: _variable("GITHUB_ACTIONS") == "true" and _variable("GITEA_ACTIONS") is None, _github),
]

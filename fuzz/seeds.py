"""Seeds for the target `webhooks`: every fixture of every provider, with the byte and the line it needs before it."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).parent.parent / "crates" / "providers"
listed = re.search(r"PROVIDERS: &\[&dyn Provider\] = &\[(.*?)\];", (root / "src/lib.rs").read_text(), re.S).group(1)
order = [name.strip(" &\n").split("::")[0] for name in listed.split(",") if name.strip()]

# The header that names the event where the body does not: by the beginning of the file's name.
EVENTS = {
    "github": ["workflow_run", "workflow_job", "check_run", "check_suite", "pull_request_review", "pull_request",
               "deployment_status", "deployment", "release", "push", "ping"],
    "gitea": ["workflow_run", "workflow_job", "pull_request", "release", "push"],
    "gitlab": ["Pipeline Hook", "Job Hook", "Deployment Hook", "Push Hook", "Merge Request Hook", "Release Hook"],
    "bitbucket": ["repo:push", "repo:commit_status_updated"],
}

target = pathlib.Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
for position, provider in enumerate(order):
    for file in sorted((root / "tests/fixtures" / provider).glob("*.json")):
        for event in EVENTS.get(provider, [""]):
            first = event.split(":")[-1].lower().replace("_", "-").replace(" hook", "").replace(" ", "-")
            if first and first.split("-")[0] not in file.stem:
                continue
            line = event
            if provider == "jenkins" and file.stem.startswith("cloudevents-"):
                line = "org.jenkinsci." + file.stem.removeprefix("cloudevents-").replace("-", ".")
            name = f"{provider}-{file.stem}-{first or 'body'}"
            (target / name).write_bytes(bytes([position]) + line.encode() + b"\n" + file.read_bytes())

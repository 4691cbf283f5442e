"""Runs the steps of a GitHub job or composite action as their definition says, without GitHub."""

import os
import re
import subprocess


def value(text, context):
    """A text with its `${{ name }}` replaced; a name that is not known is a fault of the file."""
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda found: context[found[1]], str(text))


def is_wanted(condition, context, has_failed):
    """`if:` as these files use it: always(), comparisons with '' and &&."""
    parts = [part.strip() for part in condition.split("&&")] if condition else []
    if "always()" not in parts and has_failed:
        return False
    for part in parts:
        if part != "always()":
            name, empty = part.split(" != ")
            assert empty == "''", condition
            if context[name] == "":
                return False
    return True


def run_steps(steps, context, environment, folder):
    """Gives whether the job succeeded, and what each step that ran printed and ended with, by its name."""
    has_failed, done = False, {}
    for step in steps:
        assert "uses" not in step, "no actions of others"
        if not is_wanted(step.get("if"), context, has_failed):
            continue
        variables = {name: value(text, context) for name, text in step.get("env", {}).items()}
        place = os.path.join(folder, value(step.get("working-directory", "."), context))
        flags = ["-e", "-c"]
        ended = subprocess.run(
            [step.get("shell", "bash"), *flags, value(step["run"], context)],
            cwd=place, env={**environment, **variables}, capture_output=True, text=True, timeout=120,
        )
        done[step["name"]] = ended
        if ended.returncode and not step.get("continue-on-error"):
            has_failed = True
    return not has_failed, done

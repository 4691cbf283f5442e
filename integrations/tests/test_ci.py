"""The action, the workflow, the component, the Makefile and the Jenkins steps, each run with the real program."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from receiver import Receiver
from steps_runner import run_steps

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "ci/manometer-ci.sh"
BINARY = os.environ["MANOMETER_BINARY"]
JUNIT = '<testsuite name="s" tests="1"><testcase classname="c" name="it works" time="0.5"/></testsuite>'
WRITE_REPORT = f"mkdir -p 'out dir/deep' && printf %s '{JUNIT}' > 'out dir/deep/junit.xml'"
# Nothing listens on port 1: the server is away.
AWAY = "http://127.0.0.1:1"


class Case(unittest.TestCase):
    def setUp(self):
        self.place = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.place)
        self.work = self.place / "work"
        self.work.mkdir()
        (self.place / "temp").mkdir()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.place), "RUNNER_TEMP": str(self.place / "temp"),
            "MANOMETER_BINARY": BINARY, "GIT_CONFIG_NOSYSTEM": "1",
        }

    def receiver(self, status=201):
        receiver = Receiver(status)
        self.addCleanup(receiver.close)
        return receiver

    def github(self):
        return {
            **self.environment, "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_JOB": "test", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "a" * 40,
            "GITHUB_ACTION_PATH": str(ROOT / "github"), "GITHUB_PATH": str(self.place / "path"),
        }

    def script(self, *words, **variables):
        return subprocess.run(["sh", str(SCRIPT), *words], cwd=self.work, env={**self.environment, **variables},
                              capture_output=True, text=True, timeout=120)


class Script(Case):
    def test_patterns_find_files_at_any_depth_and_with_spaces(self):
        receiver = self.receiver()
        for name in ["a b/c/junit.xml", "junit.xml", "a b/other.xml", 'a b/it"s.xml', "xjunit.xml"]:
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(JUNIT)
        done = self.script("upload", MANOMETER_URL=receiver.url, MANOMETER_REPORTS="**/junit.xml\na b/i*.xml")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("3 report files sent", done.stdout)
        body, = receiver.bodies("/api/v1/reports")
        self.assertEqual(body.count("it works"), 3)

    def test_no_server_no_report_no_program_are_warnings_unless_asked_for(self):
        (self.work / "junit.xml").write_text(JUNIT)
        nothing = {"MANOMETER_URL": "", "MANOMETER_REPORTS": "*.xml"}
        away = {"MANOMETER_URL": AWAY, "MANOMETER_REPORTS": "*.xml"}
        unmatched = {"MANOMETER_URL": AWAY, "MANOMETER_REPORTS": "none/*.xml"}
        refusing = {"MANOMETER_URL": self.receiver(401).url, "MANOMETER_REPORTS": "*.xml"}
        absent = {**away, "MANOMETER_BINARY": "/nowhere", "PATH": "/usr/bin:/bin"}
        for variables, words in [(nothing, "names no server"), (away, "did not answer"), (unmatched, "no report"),
                                 (refusing, "send a valid token"), (absent, "is not there")]:
            with self.subTest(words):
                done = self.script("upload", **variables)
                self.assertEqual(done.returncode, 0, done)
                self.assertIn(words, done.stderr)
                self.assertEqual(self.script("upload", MANOMETER_FAIL_ON_ERROR="true", **variables).returncode, 1)

    def test_a_download_with_another_sum_is_thrown_away(self):
        fake = self.place / "fake"
        fake.write_text("#!/bin/sh\necho fetched\n")
        variables = {"MANOMETER_BINARY": "", "PATH": "/usr/bin:/bin", "MANOMETER_DOWNLOAD_URL": fake.as_uri()}
        self.assertIn("needs MANOMETER_SHA256", self.script("install", **variables).stderr)
        self.assertIn("thrown away", self.script("install", MANOMETER_SHA256="0" * 64, **variables).stderr)
        self.assertEqual(list(self.place.glob("temp/*/bin/*")), [])
        right = subprocess.check_output(["sha256sum", fake], text=True).split()[0]
        self.assertEqual(self.script("install", MANOMETER_SHA256=right, **variables).stdout.strip(), "fetched")

    def test_without_the_program_a_command_runs_all_the_same(self):
        done = self.script("run", "--", "sh", "-c", "echo ran; exit 7", MANOMETER_BINARY="/nowhere", PATH="/usr/bin:/bin")
        self.assertEqual((done.returncode, done.stdout), (7, "ran\n"))


class Action(Case):
    def run_action(self, **inputs):
        action = yaml.safe_load((ROOT / "github/action.yml").read_text())
        context = {f"inputs.{name}": entry["default"] for name, entry in action["inputs"].items()}
        for name, value in inputs.items():
            self.assertIn(f"inputs.{name}", context)
            context[f"inputs.{name}"] = value
        context["inputs.binary"] = BINARY
        return run_steps(action["runs"]["steps"], context, self.github(), self.work)

    def test_a_failing_command_is_measured_and_its_reports_are_sent(self):
        receiver = self.receiver()
        succeeded, done = self.run_action(run=f"{WRITE_REPORT}; exit 3", type="tests", reports="**/junit.xml",
                                          url=receiver.url, token="mano_1", service="payments")
        self.assertFalse(succeeded)
        self.assertEqual(done["Run and measure"].returncode, 3, done)
        self.assertEqual(done["Send reports"].returncode, 0, done)
        reports, = receiver.bodies("/api/v1/reports")
        self.assertTrue("it works" in reports and "payments" in reports and "4711" in reports)
        self.assertIn('"time.wall_seconds"', "".join(receiver.bodies("/api/v1/records")))
        self.assertEqual({token for _, token, _ in receiver.requests}, {"Bearer mano_1"})

    def test_without_a_command_it_sends_what_earlier_steps_wrote(self):
        receiver = self.receiver()
        subprocess.run(["sh", "-c", WRITE_REPORT], cwd=self.work, check=True)
        succeeded, done = self.run_action(reports="**/junit.xml", url=receiver.url)
        self.assertTrue(succeeded)
        self.assertNotIn("Run and measure", done)
        self.assertEqual(len(receiver.bodies("/api/v1/reports")), 1)

    def test_a_server_that_is_away_changes_nothing(self):
        succeeded, done = self.run_action(run="exit 0", reports="*.xml", url=AWAY)
        self.assertTrue(succeeded, done)
        succeeded, _ = self.run_action(reports="*.xml", url=AWAY, **{"fail-on-error": "true"})
        self.assertFalse(succeeded)


def make_repository(folder, copied=()):
    """A git repository with the given folders of this project, at the branch main."""
    folder.mkdir(parents=True)
    for name in copied:
        shutil.copytree(ROOT / name, folder / "integrations" / name)
    (folder / "README").write_text("x")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "x"],
                  ["config", "uploadpack.allowAnySHA1InWant", "true"]):
        subprocess.run([*git, *words], check=True)
    return subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()


class Workflow(Case):
    def run_workflow(self, url, test):
        commit = make_repository(self.place / "host/acme/shop")
        if not (self.place / "manometer").exists():
            make_repository(self.place / "manometer", ["ci"])
        workflow = yaml.safe_load((ROOT / "github/reusable-ci.yml").read_text())
        call = workflow[True]["workflow_call"]  # YAML reads `on` as true.
        context = {f"inputs.{name}": entry.get("default", "") for name, entry in call["inputs"].items()}
        context.update({
            "inputs.service_name": "payments", "inputs.test": test, "github.token": "t",
            "inputs.manometer_repository": str(self.place / "manometer"),
            "secrets.MANOMETER_URL": url, "secrets.MANOMETER_TOKEN": "mano_1",
        })
        environment = {**self.github(), "GITHUB_SERVER_URL": f"file://{self.place}/host", "GITHUB_SHA": commit}
        return run_steps(workflow["jobs"]["build-and-test"]["steps"], context, environment, self.work)

    def test_failing_tests_fail_the_job_and_are_reported(self):
        receiver = self.receiver()
        succeeded, done = self.run_workflow(receiver.url, f"{WRITE_REPORT}; test -f README; exit 5")
        self.assertFalse(succeeded)
        self.assertEqual(done["Run tests"].returncode, 5, done)
        reports, = receiver.bodies("/api/v1/reports")
        self.assertTrue("it works" in reports and "payments" in reports)
        self.assertNotIn("extraheader", (self.work / ".git/config").read_text())

    def test_a_server_that_is_away_leaves_a_green_job_green(self):
        succeeded, done = self.run_workflow(AWAY, WRITE_REPORT)
        self.assertTrue(succeeded, done)
        self.assertIn("did not answer", done["Collect and send reports"].stdout)


class Component(Case):
    def run_component(self, url, command, repository):
        specification, text = (ROOT / "gitlab/templates/manometer.yml").read_text().split("\n---\n")
        inputs = {name: (entry or {}).get("default") for name, entry in yaml.safe_load(specification)["spec"]["inputs"].items()}
        inputs.update(command=command, manometer_repository=repository, service="payments")
        for name, value in inputs.items():
            text = text.replace(f"$[[ inputs.{name} ]]", value)
        self.assertNotIn("$[[", text)
        jobs = yaml.safe_load(text)
        base, job = jobs[".manometer"], jobs["measured-tests"]
        environment = {
            **self.environment, "GITLAB_CI": "true", "CI": "true", "CI_PROJECT_DIR": str(self.work), "CI_JOB_ID": "9",
            "CI_PIPELINE_ID": "77", "CI_JOB_NAME": "measured-tests", "CI_PROJECT_PATH": "acme/shop",
            "CI_SERVER_HOST": "gitlab.example.com", "CI_COMMIT_SHA": "b" * 40, "MANOMETER_URL": url,
        }
        for name, value in {**base["variables"], **job["variables"]}.items():
            environment[name] = value.strip().replace("$CI_PROJECT_DIR", str(self.work)).replace("$CI_JOB_ID", "9")
        # The lines of before_script and script are one shell, which ends at the first failure; after_script is another.
        run = lambda lines: subprocess.run(["sh", "-e", "-c", "\n".join(lines)], cwd=self.work, env=environment,
                                           capture_output=True, text=True, timeout=120)
        done = run(base["before_script"] + job["script"])
        after = run(base["after_script"])
        self.assertEqual(after.returncode, 0, after)
        return done

    def test_a_failing_script_is_reported_and_stays_failed(self):
        make_repository(self.place / "manometer", ["ci"])
        receiver = self.receiver()
        done = self.run_component(receiver.url, f"{WRITE_REPORT}; exit 4", str(self.place / "manometer"))
        self.assertEqual(done.returncode, 4, done)
        reports, = receiver.bodies("/api/v1/reports")
        self.assertTrue("it works" in reports and "payments" in reports and "77" in reports)
        self.assertEqual([entry.name for entry in self.place.glob("manometer-*")], [])

    def test_without_server_and_without_manometer_the_script_runs(self):
        done = self.run_component(AWAY, "echo ran; exit 0", "/nowhere")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("ran\n", done.stdout)


class Makefile(Case):
    def make(self, *words):
        (self.work / "Makefile").write_text(f"include {ROOT}/make/manometer.mk\nall: one\n\ttrue\none:\n\techo hi\n\texit 6\n")
        environment = {**self.environment, "PATH": f"{Path(BINARY).parent}:{os.environ['PATH']}"}
        return subprocess.run([*words, "make"], cwd=self.work, env=environment, capture_output=True, text=True, timeout=120)

    def test_each_recipe_line_is_a_step_and_failures_stay(self):
        done = self.make(BINARY, "exec", "--quiet", "--")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("Error 6", done.stderr)
        record = json.loads(next(self.work.glob(".manometer/*.jsonl")).read_text())
        self.assertEqual([step["name"] for step in record["steps"]].count("one"), 2, record)

    def test_outside_of_a_measured_run_nothing_is_recorded(self):
        self.assertIn("hi\n", self.make().stdout)
        self.assertEqual(list(self.work.glob(".manometer")), [])


@unittest.skipUnless(shutil.which("groovy") and shutil.which("java"), "groovy is not installed")
class Jenkins(Case):
    def run_pipeline(self, url, body):
        make_repository(self.place / "manometer", ["ci"])
        environment = {
            **self.environment, "JENKINS_URL": "https://ci.example.com/", "BUILD_NUMBER": "12", "JOB_NAME": "shop",
            "BUILD_TAG": "jenkins-shop-12", "GIT_URL": "https://github.com/acme/shop.git", "WORKSPACE": str(self.work),
            "REPOSITORY": str(self.place / "manometer"), "SERVER": url, "BODY": body,
            # Debian's groovy looks for Java at a place of its own otherwise.
            "JAVA_HOME": str(Path(os.path.realpath(shutil.which("java"))).parent.parent),
        }
        return subprocess.run(["groovy", str(ROOT / "tests/pipeline.groovy"), str(ROOT / "jenkins/vars")], cwd=self.work,
                              env=environment, capture_output=True, text=True, timeout=300)

    def test_a_failing_block_is_reported_and_stays_failed(self):
        receiver = self.receiver()
        done = self.run_pipeline(receiver.url, f"{WRITE_REPORT}; exit 8")
        self.assertIn("script returned exit code 8", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 1)
        reports, = receiver.bodies("/api/v1/reports")
        self.assertIn("it works", reports)
        self.assertEqual({token for _, token, _ in receiver.requests}, {"Bearer mano_1"})

    def test_a_server_that_is_away_changes_nothing(self):
        done = self.run_pipeline(AWAY, WRITE_REPORT)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("did not answer", done.stderr)


if __name__ == "__main__":
    unittest.main()

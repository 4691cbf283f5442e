"""Runs fuzz targets one after another, some side by side, and prints a table of what came of each.

    python3 run.py                          every target of this folder, 60 seconds each, two side by side
    python3 run.py --seconds 600 junit tap  these two for ten minutes
    python3 run.py --folder ingest          the targets that need the store

Builds nothing: `cargo +nightly fuzz build` comes first. Seeds are the genuine reports of `crates/formats` and the
webhooks of `crates/providers`; what is found besides is kept in `corpus/`. The exit code is 1 when a target failed.
"""

import argparse
import concurrent.futures
import os
import pathlib
import platform
import re
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "crates" / "formats" / "tests" / "fixtures"

# Where the genuine inputs of a target lie, when the folder is not called like it.
SEEDS = {
    "detect": ["."],
    "cobertura": ["coverage"], "clover": ["coverage"], "jacoco": ["coverage/jacoco"],
    "opencover": ["coverage/opencover"], "lcov": ["coverage"], "go_cover": ["coverage/go"],
    "coverage_py": ["coverage/python"], "gcovr": ["coverage/gcc"], "llvm_cov": ["coverage/llvm"],
    "simplecov": ["coverage/simplecov"],
    "ninja_log": ["builds/ninja"], "make_times": ["builds/make"], "cargo_timings": ["builds/cargo"],
    "gradle_profile": ["builds/gradle"], "webpack_stats": ["builds/webpack"],
    "rollup_visualizer": ["builds/rollup-visualizer"], "image": ["sizes"], "unpack": ["sizes"],
}
LONGEST_INPUT_BYTES = 16 * 1024


def main():
    arguments = parse_arguments()
    folder = HERE / arguments.folder
    manifest = tomllib.loads((folder / "Cargo.toml").read_text())
    targets = arguments.targets or [binary["name"] for binary in manifest["bin"]]
    print("| target | executions | coverage | corpus | |\n|---|--:|--:|--:|---|", flush=True)
    failed = False
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for line, is_failed in pool.map(lambda target: run(folder, target, arguments.seconds), targets):
            print(line, flush=True)
            failed = failed or is_failed
    sys.exit(1 if failed else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2, help="targets side by side")
    parser.add_argument("--folder", default=".", help="folder of the crate, from here")
    return parser.parse_args()


def run(folder, target, seconds):
    corpus, artifacts = folder / "corpus" / target, folder / "artifacts" / target
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    seeds = seeds_of(folder, target)
    finished = subprocess.run(
        [program(folder, target), f"-max_total_time={seconds}", "-timeout=10", f"-max_len={LONGEST_INPUT_BYTES}",
         "-print_final_stats=1", f"-artifact_prefix={artifacts}/", str(corpus), *map(str, seeds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    printed = finished.stdout
    states = re.findall(r"cov: (\d+) .*?corp: (\d+)/", printed)
    coverage, inputs = states[-1] if states else ("", "")
    executions = re.search(r"stat::number_of_executed_units: (\d+)", printed)
    executions = f"{int(executions.group(1)):,}" if executions else ""
    outcome = ""
    if finished.returncode != 0:
        outcome = f"FAILED, see {artifacts}"
        (artifacts / "output.txt").write_text(printed)
    return f"| `{target}` | {executions} | {coverage} | {inputs} | {outcome} |", finished.returncode != 0


def program(folder, target):
    triple = f"{platform.machine()}-unknown-linux-gnu"
    built = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", folder / "target"))
    return built / triple / "release" / target


def seeds_of(folder, target):
    if target == "webhooks":
        made = folder / "corpus" / "webhooks-seeds"
        subprocess.run([sys.executable, HERE / "seeds.py", made], check=True)
        return [made]
    folders = [FIXTURES / name for name in SEEDS.get(target, [target.replace("_", "-")])]
    return [seeds for seeds in folders if seeds.is_dir()]


main()

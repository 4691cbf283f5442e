#!/bin/sh
# Tests the package as it is installed: in an environment of its own, with the pytest and plugins that are current.
# MANOMETER_BINARY may name the program `manometer`, which then has to read what was written.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A copy, so that building leaves nothing in the checkout.
cp -R "$here" "$folder/package"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$folder/package[test]"
cd "$folder/package"
"$folder/venv/bin/python" -m pytest -q "$@"

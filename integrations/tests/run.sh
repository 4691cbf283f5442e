#!/bin/sh
# Runs every script that the integrations consist of, as far as that goes without the services they are for.
# MANOMETER_BINARY names the program. Needs git, curl, GNU make, python3 with yaml; shellcheck and groovy where they are.
set -eu
cd "$(dirname "$0")"
: "${MANOMETER_BINARY:?name the program: MANOMETER_BINARY=target/debug/manometer}"
case $MANOMETER_BINARY in /*) ;; *) MANOMETER_BINARY=$OLDPWD/$MANOMETER_BINARY ;; esac
export MANOMETER_BINARY
if command -v shellcheck >/dev/null 2>&1; then
    shellcheck ../ci/manometer-ci.sh run.sh
else
    echo "skipped: shellcheck is not installed"
fi
python3 -m unittest -v test_ci.py

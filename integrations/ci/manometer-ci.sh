#!/bin/sh
# What a CI job does with Manometer: get the program, run a command under it, send reports.
#
#   manometer-ci.sh install            find the program, or fetch or build it
#   manometer-ci.sh run [-- COMMAND…]  run a command (or MANOMETER_COMMAND) under `manometer exec`
#   manometer-ci.sh upload             send reports that earlier steps wrote, and what waits in the spool
#
# It never fails a build: what goes wrong is a warning, and `run` ends as its command does. Only with
# MANOMETER_FAIL_ON_ERROR=true do `install` and `upload` end with 1. The variables are listed in docs/INTEGRATIONS.md.
set -u

newline='
'
tool_folder=${MANOMETER_TOOL_FOLDER:-${RUNNER_TEMP:-${TMPDIR:-/tmp}}/manometer-$(id -u)}

warn() {
    if [ "${GITHUB_ACTIONS:-}" = true ]; then
        echo "::warning title=Manometer::$*"
    else
        echo "manometer: $*" >&2
    fi
}

# What did not work: a warning, and the end with 1 where somebody asked for that.
give_up() {
    warn "$*"
    if [ "${MANOMETER_FAIL_ON_ERROR:-false}" = true ]; then
        exit 1
    fi
    exit 0
}

# Prints where the program is; fails when it is nowhere, or does not run on this machine.
locate() {
    for candidate in "${MANOMETER_BINARY:-}" "$(command -v manometer 2>/dev/null || true)" "$tool_folder/bin/manometer"; do
        if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

install_program() {
    if ! program=$(locate); then
        if [ -n "${MANOMETER_DOWNLOAD_URL:-}" ]; then
            download
        elif [ -n "${MANOMETER_SOURCE:-}" ] && [ "${MANOMETER_BUILD:-true}" = true ]; then
            build
        fi
        program=$(locate) || give_up "the program manometer is not there: name it with MANOMETER_BINARY, a download with" \
            "MANOMETER_DOWNLOAD_URL and MANOMETER_SHA256, or install Rust to build it; nothing is measured"
    fi
    "$program" --version
    if [ -n "${GITHUB_PATH:-}" ]; then
        dirname "$program" >>"$GITHUB_PATH"
    fi
}

# A program from the network is run only when it is the one that was meant.
download() {
    if [ -z "${MANOMETER_SHA256:-}" ]; then
        give_up "MANOMETER_DOWNLOAD_URL needs MANOMETER_SHA256 beside it; nothing was fetched"
    fi
    mkdir -p "$tool_folder/bin"
    fetched="$tool_folder/bin/manometer.fetched"
    curl --silent --show-error --fail --location --retry 2 --connect-timeout 10 --max-time 300 \
        --output "$fetched" "$MANOMETER_DOWNLOAD_URL" || give_up "failed to fetch $MANOMETER_DOWNLOAD_URL"
    sum=$({ sha256sum "$fetched" 2>/dev/null || shasum -a 256 "$fetched"; } | cut -d ' ' -f 1)
    if [ "$sum" != "$MANOMETER_SHA256" ]; then
        rm -f "$fetched"
        give_up "$MANOMETER_DOWNLOAD_URL has the SHA-256 sum $sum, expected $MANOMETER_SHA256; it was thrown away"
    fi
    chmod 755 "$fetched" && mv "$fetched" "$tool_folder/bin/manometer"
}

build() {
    command -v cargo >/dev/null 2>&1 || return 0
    cargo install --quiet --locked --no-default-features --path "$MANOMETER_SOURCE/crates/cli" --root "$tool_folder" ||
        warn "failed to build $MANOMETER_SOURCE"
}

# Each line of a list is an option in front of the words that are there already; words are kept whole.
run_command() {
    if [ "$#" -eq 0 ]; then
        # The first command that fails ends it, as in the steps of CI systems.
        set -- "${MANOMETER_SHELL:-sh}" -e -c "${MANOMETER_COMMAND:-}"
    fi
    if ! program=$(locate); then
        warn "the program manometer is not there; the command runs unmeasured"
        exec "$@"
    fi
    set -- -- "$@"
    while IFS= read -r pattern; do
        [ -z "$pattern" ] || set -- --report "$pattern" "$@"
    done <<LIST
${MANOMETER_REPORTS:-}
LIST
    while IFS= read -r pattern; do
        [ -z "$pattern" ] || set -- --artifact "$pattern" "$@"
    done <<LIST
${MANOMETER_ARTIFACTS:-}
LIST
    [ -z "${MANOMETER_NAME:-}" ] || set -- --name "$MANOMETER_NAME" "$@"
    exec "$program" exec --type "${MANOMETER_TYPE:-build}" "$@"
}

# Prints the files that a pattern means, one a line. `**/` is any number of folders, as in `manometer exec --report`.
# The pattern is split into words at line ends only, so that names may have spaces.
files_of() (
    IFS=$newline
    case $1 in
    *'**/'*)
        rest=${1#*'**/'}
        before=${1%%'**/'*}
        for start in ${before:-./}; do
            find "$start" -name .git -prune -o -type d -print 2>/dev/null | while IFS= read -r folder; do
                files_of "${folder%/}/$rest"
            done
        done
        ;;
    *)
        # The shell finds the files.
        for file in $1; do
            [ ! -f "$file" ] || printf '%s\n' "$file"
        done
        ;;
    esac
)

# The fields of the run that a server takes beside reports, one `name=value` a line.
context_fields() (
    eval "$("$1" context --format env)"
    # Without a repository the server would not know whose reports these are.
    [ -n "${CI_CONTEXT_PROJECT:-}" ] || CI_CONTEXT_PROJECT=local/$(basename "$PWD")
    for name in project service provider run_id attempt pipeline number job_id job_name branch is_default_branch \
        commit_sha change_id trigger actor url; do
        eval "value=\${CI_CONTEXT_$(printf %s "$name" | tr '[:lower:]' '[:upper:]'):-}"
        # shellcheck disable=SC2154 # eval sets it
        [ -z "$value" ] || printf '%s=%s\n' "$name" "$value"
    done
)

# Sends one form. The token goes in by standard input, where the list of processes does not show it.
post() {
    if [ -n "${MANOMETER_TOKEN:-}" ]; then
        printf 'header = "Authorization: Bearer %s"\n' "$MANOMETER_TOKEN"
    fi | curl --config - --silent --show-error --retry 2 --connect-timeout 5 \
        --max-time "${MANOMETER_UPLOAD_SECONDS:-60}" --output "$answer" --write-out '%{http_code}' "$@" \
        "${MANOMETER_URL%/}/api/v1/reports"
}

upload() {
    [ "${MANOMETER_DISABLED:-false}" != true ] || exit 0
    [ -n "${MANOMETER_URL:-}" ] || give_up "MANOMETER_URL names no server; nothing is sent"
    program=$(locate) || give_up "the program manometer is not there; nothing is sent"
    # What an earlier `run` could not deliver. Its own words say how that went.
    "$program" spool send || true
    # The reports of a command that `run` ran have been sent by it.
    if [ -n "${MANOMETER_COMMAND:-}" ] || [ -z "${MANOMETER_REPORTS:-}" ]; then
        exit 0
    fi
    command -v curl >/dev/null 2>&1 || give_up "curl is not there; the reports are not sent"
    files=$(while IFS= read -r pattern; do
        [ -z "$pattern" ] || files_of "$pattern"
    done <<LIST | sort -u
$MANOMETER_REPORTS
LIST
    )
    [ -n "$files" ] || give_up "no report matches: $(printf %s "$MANOMETER_REPORTS" | tr '\n' ' ')"
    set --
    while IFS= read -r field; do
        [ -z "$field" ] || set -- "$@" --form-string "$field"
    done <<LIST
$(context_fields "$program")
LIST
    count=0
    while IFS= read -r file; do
        # Quotes and backslashes are the only letters that curl reads as its own inside quotes.
        quoted=$(printf %s "$file" | sed 's/[\\"]/\\&/g')
        set -- "$@" --form "file=@\"$quoted\";filename=\"$quoted\""
        count=$((count + 1))
    done <<LIST
$files
LIST
    answer=$(mktemp)
    trap 'rm -f "$answer"' EXIT
    status=$(post "$@") || status=${status:-000}
    case $status in
    201 | 208) echo "manometer: $count report files sent to $MANOMETER_URL" ;;
    000) give_up "$MANOMETER_URL did not answer; $count report files were not sent" ;;
    *) give_up "$MANOMETER_URL answered $status, $count report files were not taken: $(head -c 600 "$answer" | tr '\n' ' ')" ;;
    esac
}

action=${1:-}
[ "$#" -eq 0 ] || shift
[ "${1:-}" != -- ] || shift
case $action in
install) install_program ;;
run) run_command "$@" ;;
upload) upload ;;
*)
    echo "manometer-ci.sh: say install, run or upload" >&2
    exit 2
    ;;
esac

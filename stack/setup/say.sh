# shellcheck shell=bash
# What the operator reads: one line an act, one sentence for what went wrong.

say() { printf '%s\n' "$*"; }

die() {
    printf 'up.sh: %s\n' "$*" >&2
    exit 1
}

# Run a command with its output in a log; on failure show the log's end and say where it lies.
logged() {
    local log=$state/$1.log
    shift
    if ! "$@" >"$log" 2>&1 9>&- </dev/null; then
        tail -n 15 "$log" | sed 's/^/    /' >&2
        return 1
    fi
}

# shellcheck shell=bash
# What the runbook's scripts share. They set $stack, the folder that holds .env, before they read this file.

# Exit statuses, the same in every script.
# shellcheck disable=SC2034  # used by those who read this file
refused=1 usage_error=2 cannot_look=3 was_killed=4 left_out=5

# The language of what other programs say must not decide what is understood of it.
export LC_ALL=C
# For Compose an exported blank would beat .env: a blank prefix of the shell means that none was given.
[ -n "${STACK_PREFIX:-}" ] || unset STACK_PREFIX

say() { printf '%s\n' "$*"; }

warn() { printf '%s\n' "$*" >&2; }

# die STATUS SENTENCE…
die() {
    local status=$1
    shift
    warn "❌ $*"
    exit "$status"
}

# The first line of an answer that may have none.
first_line() { say "${1%%$'\n'*}"; }

# shellcheck source=/dev/null  # it is looked at together with up.sh, whose other parts it needs
. "$stack/setup/settings.sh"
# shellcheck source=stack/scripts/lib/env.sh
. "$stack/scripts/lib/env.sh"
# shellcheck source=stack/scripts/lib/engine.sh
. "$stack/scripts/lib/engine.sh"
# shellcheck source=stack/scripts/lib/health.sh
. "$stack/scripts/lib/health.sh"
# shellcheck source=stack/scripts/lib/stop.sh
. "$stack/scripts/lib/stop.sh"
# shellcheck source=stack/scripts/lib/start.sh
. "$stack/scripts/lib/start.sh"

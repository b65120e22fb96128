#!/usr/bin/env bash
# Bring up the Tools stack: an engine, images, settings, containers.
# Each part says what it does before it does it, and does nothing where nothing is to be done.
set -euo pipefail

stack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Daemons and their tools lie in folders that a plain `su` leaves out.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# What outlives a checkout: logs, marks of what was started from here, downloads.
state=${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/kestra-restart

# shellcheck source=setup/say.sh
. "$stack/setup/say.sh"
# shellcheck source=setup/debian.sh
. "$stack/setup/debian.sh"
# shellcheck source=setup/python.sh
. "$stack/setup/python.sh"
# shellcheck source=setup/registry.sh
. "$stack/setup/registry.sh"
# shellcheck source=setup/engine.sh
. "$stack/setup/engine.sh"
# shellcheck source=setup/compose.sh
. "$stack/setup/compose.sh"
# shellcheck source=setup/settings.sh
. "$stack/setup/settings.sh"
# shellcheck source=setup/images.sh
. "$stack/setup/images.sh"
# shellcheck source=setup/containers.sh
. "$stack/setup/containers.sh"

usage() {
    cat <<'TEXT'
usage: stack/up.sh COMMAND
  all                  engine, images, env, start
  engine [OWNER]       a Docker engine that answers, and Compose v2; OWNER is noted if one had to be started
  engine-stop [OWNER]  end the engine that `engine OWNER` started; no other
  images [--built]     the images that the stack uses; --built: those made from packages, whatever a registry says
  env                  .env with random secrets, if there is none
  start                start what does not run yet, and wait until Kestra is ready; what runs is left alone
  venv LOCK            .venv in the checkout, filled from this lock file (PYTHON names another interpreter)
  test-tools           what the suite's own tests need beyond Python
  down [--data]        end the stack; its data are kept unless asked
environment: KESTRA_IMAGE=REFERENCE runs that image instead of the one chosen here
TEXT
}

one_at_a_time() {
    mkdir -p "$state" || die "cannot write $state: set XDG_STATE_HOME to a folder of yours"
    exec 9>"$state/lock"
    flock -w 900 9 || die "another up.sh has been at work for 15 minutes (it holds $state/lock): wait for it or end it"
}

main() {
    local command=${1:-} option=${2:-}
    # One statement a line: in a chain of `&&` the shell would overlook what fails inside a function.
    case $command in
    all)
        one_at_a_time
        bring_engine ''
        bring_images
        bring_settings
        start_stack
        ;;
    engine)
        one_at_a_time
        bring_engine "$option"
        ;;
    engine-stop)
        one_at_a_time
        end_engine "$option"
        ;;
    images)
        one_at_a_time
        need_engine
        if [ "$option" = --built ]; then build_images; else bring_images; fi
        ;;
    env)
        one_at_a_time
        need_engine
        bring_settings
        ;;
    start)
        need_engine
        start_stack
        ;;
    down)
        need_engine
        end_stack "$option"
        ;;
    venv)
        one_at_a_time
        bring_venv "${option:-requirements.txt}"
        ;;
    test-tools)
        one_at_a_time
        bring_test_tools
        bring_registry
        ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        exit 4
        ;;
    esac
}

main "$@"

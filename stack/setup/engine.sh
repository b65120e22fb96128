# shellcheck shell=bash
# The Docker engine: one that answers is used as it is, else the distribution's is installed and started.

engine_mark=$state/engine-started-by-us
engine_log=$state/dockerd.log

engine_version() { timeout 15 docker version --format '{{.Server.Version}}' 2>/dev/null; }

bring_engine() {
    local owner=$1 version
    if version=$(engine_version); then
        say "engine: Docker $version answers, used as it is"
    else
        can_start_engine
        install_engine
        start_engine "$owner"
    fi
    bring_compose
}

need_engine() {
    if ! engine_version >/dev/null; then
        explain_silence && die "no Docker engine answers: run 'stack/up.sh engine', then this again"
        exit 1
    fi
    compose_works || die "Compose v2 is missing: run 'stack/up.sh engine', or install Docker's compose plugin"
}

# Everything that forbids to start an engine here, each in one sentence.
can_start_engine() {
    explain_silence || exit 1
    if can_install; then return; fi
    if is_debian; then
        die "no Docker engine answers, and only root can start one: run 'sudo stack/up.sh engine', then this again"
    fi
    die "no Docker engine answers, and this is not a Debian-like system: install Docker Engine 20.10 or later with" \
        "its compose plugin (v2), start it, then run this again"
}

# Fails, with a sentence, where an engine is there and cannot be reached by this user or this setting.
explain_silence() {
    local host=${DOCKER_HOST:-unix:///var/run/docker.sock}
    local socket=${host#unix://}
    if [ "$socket" = "$host" ]; then
        say "up.sh: the engine that DOCKER_HOST names ($host) does not answer: start it, or unset DOCKER_HOST" >&2
        return 1
    fi
    if [ -S "$socket" ] && ! [ -w "$socket" ]; then
        say "up.sh: no permission for the engine's socket $socket: run 'sudo usermod -aG docker $(id -un)'," \
            "log in again, then run this again" >&2
        return 1
    fi
    if [ -S "$socket" ] && pidof dockerd >/dev/null; then
        say "up.sh: a Docker engine runs but does not answer on $socket within 15 s: look at its log, restart it" >&2
        return 1
    fi
}

install_engine() {
    local packages=()
    { command -v docker && command -v dockerd; } >/dev/null || packages+=(docker.io)
    command -v iptables >/dev/null || packages+=(iptables)
    # Where the kernel enforces AppArmor, the engine cannot run a container without its parser.
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && ! command -v apparmor_parser >/dev/null; then
        packages+=(apparmor)
    fi
    [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
}

start_engine() {
    local owner=$1
    if [ -d /run/systemd/system ]; then
        say "engine: starting the docker service"
        logged systemctl systemctl start docker || die "the docker service does not start: see 'journalctl -u docker'"
    elif ! pidof dockerd >/dev/null; then
        say "engine: starting dockerd (log: $engine_log)"
        setsid dockerd >>"$engine_log" 2>&1 </dev/null 9>&- &
    fi
    wait_for_engine
    mark_engine "$owner"
}

wait_for_engine() {
    local deadline=$((SECONDS + 60))
    until engine_version >/dev/null; do
        if [ $SECONDS -ge $deadline ] || { [ ! -d /run/systemd/system ] && ! pidof dockerd >/dev/null; }; then
            { tail -n 5 "$engine_log" 2>/dev/null | sed 's/^/    /' >&2; } || true
            die "the engine did not come up within 60 s: see $engine_log"
        fi
        sleep 0.2
    done
    say "engine: Docker $(engine_version) answers"
}

# A process id alone may be another process by tomorrow; with its start time it is one process for ever.
mark_engine() {
    local pid
    pid=$(pidof -s dockerd) || return 0
    printf '%s %s %s\n' "$pid" "$(started_at "$pid")" "${1:--}" >"$engine_mark"
}

# Blank for a process that has ended, also where nobody has taken note of its end (a zombie).
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

end_engine() {
    local pid=none start='' owner='' running
    [ ! -s "$engine_mark" ] || read -r pid start owner <"$engine_mark"
    if [ "$owner" != "${1:--}" ] || [ "$(started_at "$pid")" != "$start" ]; then
        say "engine: not started by this command, left as it is"
        return
    fi
    running=$(timeout 15 docker ps --format '{{.Names}}' | paste -sd ' ')
    if [ -n "$running" ]; then
        say "engine: left running, because containers run on it: $running"
        return
    fi
    say "engine: ending the one that was started here"
    if [ -d /run/systemd/system ]; then
        logged systemctl systemctl stop docker.socket docker.service
    else
        kill -TERM "$pid"
    fi
    local deadline=$((SECONDS + 30))
    while [ "$(started_at "$pid")" = "$start" ]; do
        [ $SECONDS -lt $deadline ] || die "the engine (process $pid) did not end within 30 s: see $engine_log"
        sleep 0.2
    done
    rm -f "$engine_mark"
}

# shellcheck shell=bash
# The containers: start what does not run, wait until Kestra is ready, end the stack.

compose_file=tools/compose/docker-compose.tools.yml
# The first boot of a real Kestra on a busy machine takes up to a minute.
ready_limit=180

compose() { (cd "$stack" && docker compose -f "$compose_file" "$@" 9>&-); }

project() { say "$(setting STACK_PREFIX)tools"; }

# The container of a service, running or not, by its labels: a name can be anybody's.
container_of() {
    docker ps -aq --filter "label=com.docker.compose.project=$(project)" --filter "label=com.docker.compose.service=$1" | head -n 1
}

is_running() { [ -n "$1" ] && [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }

start_stack() {
    [ -e "$settings" ] || die "$settings is missing: run 'stack/up.sh env', which makes it"
    compose config --quiet || die "Compose cannot use $stack/$compose_file with $settings (its reason stands above)"
    if is_running "$(container_of kestra)" && is_running "$(container_of kestra-postgres)"; then
        say "stack: runs already, left as it is"
    else
        is_running "$(container_of kestra)" || refuse_taken_ports
        say "stack: starting what does not run ($(project))"
        # A container that runs is not touched, whatever changed in the settings: that is for the procedures.
        make_and_start || { refuse_taken_ports && die "the stack did not start: see $state/start.log"; }
    fi
    can_write "$(container_of kestra)" || give_volumes || die "the volumes of Kestra cannot be given to its user: see $state/volumes.log"
    wait_until_ready
}

# Made before it is started: its volumes must be its user's by then.
make_and_start() {
    logged start compose --ansi never create --no-recreate --pull never &&
        give_volumes &&
        logged start compose --ansi never up -d --no-recreate --pull never
}

# Where each volume of a container lies in it; what the image has no folder for, the engine makes as root's.
volumes_in() {
    docker inspect --format '{{range .Mounts}}{{if and .RW (eq .Type "volume")}}{{println .Destination}}{{end}}{{end}}' "$1"
}

can_write() {
    local paths
    mapfile -t paths < <(volumes_in "$1" | sed '/^$/d')
    # shellcheck disable=SC2016  # the inner shell expands
    docker exec "$1" sh -c 'for path; do [ -w "$path" ] || exit 1; done' can_write "${paths[@]}"
}

# Let the user that the image runs as have its volumes, new or old: by a container that is gone when it has done so.
give_volumes() {
    local kestra user paths
    kestra=$(container_of kestra)
    user=$(docker inspect --format '{{.Config.User}}' "$kestra")
    case ${user%%:*} in '' | root | 0) return 0 ;; esac
    mapfile -t paths < <(volumes_in "$kestra" | sed '/^$/d')
    # shellcheck disable=SC2016  # the inner shell expands
    logged volumes docker run --rm --network none --user 0 --volumes-from "$kestra" --entrypoint sh \
        "$(docker inspect --format '{{.Image}}' "$kestra")" -c '
            uid=$(id -u "$1" 2>/dev/null || echo "$1"); shift
            for path; do [ "$(stat -c %u "$path")" = "$uid" ] || chown -R "$uid" "$path" || exit 1; done' \
        give_volumes "${user%%:*}" "${paths[@]}"
}

refuse_taken_ports() {
    local key port answer=0
    for key in KESTRA_HTTP_PORT KESTRA_MANAGEMENT_PORT; do
        port=$(setting $key)
        if is_taken "$port"; then
            say "up.sh: port $port is taken by $(holder_of "$port"): set $key in $settings to a free port, then run this again" >&2
            answer=1
        fi
    done
    [ $answer = 0 ] || exit 1
}

is_taken() { [ -n "$(publisher_of "$1")" ] || (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

publisher_of() { docker ps --filter "publish=$1/tcp" --format '{{.Names}}' | head -n 1; }

holder_of() {
    local name
    name=$(publisher_of "$1")
    if [ -n "$name" ]; then say "the container $name"; else say "another program on this machine"; fi
}

# Ready is what the server says of itself in the body; that its port accepts may be Docker's proxy alone.
is_ready() {
    # shellcheck disable=SC2016  # the inner shell expands
    timeout 5 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf "GET /health/readiness HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3
        # Read to the end: a server that is hung up on fills its log.
        [[ $(cat <&3) =~ \"status\"\ *:\ *\"UP\" ]]' ready "$1" 2>/dev/null
}

wait_until_ready() {
    local port kestra deadline=$((SECONDS + ready_limit))
    port=$(setting KESTRA_MANAGEMENT_PORT)
    kestra=$(container_of kestra)
    until is_ready "$port"; do
        if [ $SECONDS -ge $deadline ]; then explain_not_ready "is not ready after $ready_limit s"; fi
        if has_died "$kestra"; then explain_not_ready "ended instead of starting"; fi
        sleep 0.2
    done
    say "stack: Kestra is ready on http://127.0.0.1:$(setting KESTRA_HTTP_PORT)/ (user $(setting KESTRA_BASICAUTH_USERNAME), password in $settings)"
}

has_died() {
    local state
    state=$(docker inspect --format '{{.State.Status}} {{.RestartCount}}' "$1" 2>/dev/null) || return 0
    case $state in "running "[012] | "restarting "[012] | "created 0") return 1 ;; esac
}

explain_not_ready() {
    local name
    name=$(setting STACK_PREFIX)tools-kestra
    docker logs --tail 10 "$name" 2>&1 | sed 's/^/    /' >&2 || true
    die "$name $1: its last lines stand above, all of them in 'docker logs $name'; 'pytest -m recover' brings a broken service back"
}

end_stack() {
    local source=$settings volume
    # Names and labels do not depend on the secrets, so the example serves where the file is gone.
    [ -e "$settings" ] || source=$stack/.env.example
    say "stack: ending $(project)$([ "${1:-}" = --data ] && echo ' and removing its data' || echo '; its data are kept')"
    KESTRA_DB_PASSWORD=- KESTRA_BASICAUTH_PASSWORD=- logged down compose --env-file "$source" --ansi never down --remove-orphans ||
        die "the stack did not end: see $state/down.log"
    [ "${1:-}" = --data ] || return 0
    docker volume ls -q --filter "label=com.docker.compose.project=$(project)" | while read -r volume; do
        docker volume rm "$volume" >/dev/null
    done
}

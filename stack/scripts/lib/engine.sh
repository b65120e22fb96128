# shellcheck shell=bash
# The engine: asked within a limit, and our containers on it, known by their labels.

# How long one question to the engine may take, and one command of Compose.
ask_limit=20 compose_limit=300
# What goes before a command that a signal to the terminal's processes must not reach; mostly nothing.
aside=()

ask() { timeout --foreground "$ask_limit" docker "$@"; }

compose() {
    (cd "$stack" && "${aside[@]}" timeout --foreground "$compose_limit" docker compose --ansi never \
        -f tools/compose/docker-compose.tools.yml "$@")
}

# Not being allowed to ask, or nobody answering, is something else than "it does not run".
need_engine() {
    local said
    command -v docker >/dev/null || die "$cannot_look" "o comando docker não existe nesta máquina: instale o Docker"
    if said=$(ask version --format '{{.Server.Version}}' 2>&1); then return; fi
    case $said in
    *"permission denied"*) explain_permission ;;
    *) die "$cannot_look" "o Docker não responde (${DOCKER_HOST:-unix:///var/run/docker.sock}): inicie o serviço e repita" ;;
    esac
}

need_compose() {
    docker compose version >/dev/null 2>&1 || die "$cannot_look" "falta o Compose v2 ('docker compose version' não responde)"
}

# The group is the socket's, which need not be called docker.
explain_permission() {
    local socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
    socket=${socket#unix://}
    die "$cannot_look" "permission denied em $socket: execute" \
        "'sudo usermod -aG $(stat -Lc %G "$socket" 2>/dev/null || say docker) $(id -un)' e reabra a sessão"
}

# Ids of a service's containers, running or not. By labels: a name, or an image, can be anybody's.
ids_of() {
    ask ps -aq --no-trunc --filter "label=com.docker.compose.project=$(project)" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

# fact ID TEMPLATE: one answer of `docker inspect`
fact() { ask inspect --type container --format "$2" "$1"; }

short() { say "${1:0:12}"; }

# Running, also paused or in a restart loop: what holds its ports and can be stopped.
is_alive() { [[ $(fact "$1" '{{.State.Status}}') =~ ^(running|paused|restarting)$ ]]; }

alive_ids_of() {
    local id
    for id in $(ids_of "$1"); do
        if is_alive "$id"; then say "$id"; fi
    done
}

# A container with our name that Compose did not make for this stack; blank if there is none.
namesake() {
    local id ours
    id=$(ask ps -aq --no-trunc --filter "name=^/?$(project)-$1\$")
    ours=$(ids_of "$1")
    if [ -n "$id" ] && [[ $ours != *"$id"* ]]; then say "$id"; fi
}

has_image() { ask image inspect "$1" >/dev/null 2>&1; }

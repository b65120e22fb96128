# shellcheck shell=bash
# The start: what can fail is tried while the old container still runs; afterwards it is waited for what comes up.

database_limit=90
trial_limit=40

need_images() {
    local service image
    for service in kestra kestra-postgres; do
        image=$(rendered_value "services.$service.image")
        has_image "$image" || die "$refused" "a imagem $image não está nesta máquina: 'docker pull $image' antes de reiniciar"
    done
}

refuse_namesakes() {
    local service
    for service in kestra kestra-postgres; do
        [ -z "$(namesake "$service")" ] ||
            die "$refused" "o contêiner $(project)-$service não é desta stack (sem os rótulos do Compose):" \
                "remova-o ou renomeie-o antes"
    done
}

# Whether start-stacks.sh is to leave Kestra out; 0 and false are a no.
is_skipped() {
    case ${SKIP_Kestra_AUTO_START:-} in
    '' | 0 | [Ff][Aa][Ll][Ss][Ee]) return 1 ;;
    esac
}

# Start what is down of these services; what runs is not touched, whatever changed in .env.
start_neighbours() {
    run_compose up -d --no-recreate --no-build --pull never "$@" || die "$refused" "$* não iniciou"
    local deadline=$((SECONDS + database_limit)) id state
    id=$(first_line "$(ids_of kestra-postgres)")
    until state=$(fact "$id" '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}') &&
        [ "$state" = "running healthy" ]; do
        [ "$SECONDS" -lt "$deadline" ] ||
            die "$refused" "$(project)-kestra-postgres não ficou saudável em $database_limit s ($state):" \
                "veja 'docker logs $(project)-kestra-postgres'"
        sleep 0.2
    done
}

# Compose's own words only where it failed.
run_compose() {
    local said
    if ! said=$(compose "$@" 2>&1); then
        warn "$(tail -n 5 <<<"$said" | sed 's/^/    /')"
        return 1
    fi
}

# Which ports Kestra's own container holds, as "ADDRESS PORT" lines.
own_ports() {
    local id
    for id in $(alive_ids_of kestra); do
        # shellcheck disable=SC2016  # a template of Go
        fact "$id" '{{range $p, $all := .HostConfig.PortBindings}}{{range $all}}{{println .HostIp .HostPort}}{{end}}{{end}}'
    done
}

# One container of the database's image, on the stack's network, with the ports that are still to be had, logs in to
# the database. Only the engine knows whether a port can be published; and only from another container does Postgres
# ask for the password. It comes through a pipe: arguments and variables of processes can be read by others.
# Sets $finding, blank where all is well, else "port SENTENCE" or "database SENTENCE".
try_out() {
    local own address port wanted=()
    own=$(own_ports)
    while read -r address port; do
        if ! grep -qx "$address $port" <<<"$own"; then wanted+=(--publish "$address:$port:$port"); fi
    done < <(published_ports)
    try_login "${wanted[@]}"
}

# try_login [OPTION…]: the options are for `docker run`
try_login() {
    local said network
    network=$(rendered_value networks.default.name)
    finding=''
    # shellcheck disable=SC2016  # the shell in the container expands
    if said=$(database_setting PASSWORD | timeout --foreground "$trial_limit" docker run --rm -i --pull never \
        --label io.kestra-restart.role=trial --network "$network" "$@" --entrypoint sh \
        "$(rendered_value services.kestra-postgres.image)" -c '
            IFS= read -r PGPASSWORD
            export PGPASSWORD PGCONNECT_TIMEOUT=5 LC_ALL=C
            exec timeout 20 psql -X -w -q -h "$1" -p "$2" -d "$3" -U "$4" -c "SELECT 1"' \
        trial "$(database_setting HOST)" "$(database_setting PORT)" "$(database_setting NAME)" "$(database_setting USER)" 2>&1); then
        return
    fi
    case $said in
    *"port is already allocated"* | *"address already in use"*) finding="port $(explain_busy_port "$said")" ;;
    *"password authentication failed"* | *"no password supplied"*)
        finding="database o banco recusa KESTRA_DB_USER/KESTRA_DB_PASSWORD (a senha do volume é a da primeira inicialização)" ;;
    *"does not exist"*) finding="database o banco ou o usuário de KESTRA_DB_NAME/KESTRA_DB_USER não existe" ;;
    *"could not translate host name"*) finding="database KESTRA_DB_HOST não se resolve na rede $network" ;;
    *) finding="database sem resposta do banco em KESTRA_DB_HOST/KESTRA_DB_PORT pela rede $network" ;;
    esac
}

explain_busy_port() {
    local port='' holder=''
    if [[ $1 =~ :([0-9]+)(\ failed)?:\ (bind|port) ]]; then port=${BASH_REMATCH[1]}; fi
    [ -z "$port" ] || holder=$(ask ps --filter "publish=$port/tcp" --format '{{.Names}}')
    holder=${holder:+contêiner $(first_line "$holder")}
    say "Porta ${port:-?} já está em uso por ${holder:-outro programa}"
}

# Take the old container away, gracefully, and let Compose make the new one: labels, health check and restart policy
# come from its file. Fails with $was_killed where the old one did not end by itself, although the new one is there.
recreate_kestra() {
    local old status=0
    old=$(alive_ids_of kestra) || die "$cannot_look" "o Docker deixou de responder: nada foi tocado"
    # Between the stop and the start nobody's Ctrl-C, and no lost terminal, may leave Kestra down.
    trap '' HUP INT TERM
    aside=(setsid --wait)
    if [ -n "$old" ]; then
        say "🛑 Encerrando contêiner(es) Kestra..."
        # shellcheck disable=SC2086  # ids, one a line
        stop_kestra $old || status=$?
    fi
    [ "$status" != "$refused" ] || die "$refused" "o contêiner anterior não parou: nada foi recriado"
    say "🚀 Iniciando Kestra ($(rendered_value services.kestra.image))..."
    run_compose up -d --no-deps --force-recreate --no-build --pull never kestra ||
        die "$refused" "o Kestra não iniciou (motivo acima): corrija e repita tools/kestra/scripts/run.sh --detach"
    aside=()
    trap - HUP INT TERM
    return "$status"
}

# wait_until_ready SECONDS
wait_until_ready() {
    local limit=$1 began=$SECONDS id state
    id=$(first_line "$(ids_of kestra)")
    [ -n "$id" ] || die "$refused" "o contêiner do Kestra não existe"
    until is_up "$id" /health/readiness; do
        state=$(fact "$id" '{{.State.Status}} {{.RestartCount}}' 2>/dev/null) || state=gone
        case $state in
        "running "[012] | "restarting "[012] | "created 0") ;;
        *) die "$refused" "$(short "$id") não ficou pronto: terminou durante a inicialização; veja tools/kestra/scripts/logs.sh" ;;
        esac
        [ $((SECONDS - began)) -lt "$limit" ] ||
            die "$refused" "$(short "$id") não ficou pronto em $limit s; veja tools/kestra/scripts/logs.sh"
        sleep 0.2
    done
    say "✅ Kestra pronto: $(short "$id"), http://127.0.0.1:$(setting KESTRA_HTTP_PORT)/," \
        "gerência na porta $(setting KESTRA_MANAGEMENT_PORT)"
}

# Whether the running container is what .env and the Compose file say now, and the image's tag still is its image.
is_current() {
    local id=$1 image mark said
    image=$(ask image inspect --format '{{.Id}}' "$(rendered_value services.kestra.image)" 2>/dev/null) || return 1
    [ "$(fact "$id" '{{.State.Status}} {{.Image}}')" = "running $image" ] || return 1
    mark=$(fact "$id" '{{index .Config.Labels "com.docker.compose.config-hash"}}')
    if [ "$mark" = "$(compose config --hash kestra | awk '{ print $2 }')" ]; then return; fi
    # A container that was made without the services it depends on has another mark than `config` tells.
    said=$(compose --dry-run up -d --no-deps --no-build --pull never kestra 2>&1) || return 1
    [[ $said != *Recreate* ]]
}

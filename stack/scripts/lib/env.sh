# shellcheck shell=bash
# The root .env, and what Compose makes of it. No value of it is ever an argument of a program or printed.

# `setting` and `in_file` come from setup/settings.sh.
settings=$stack/.env
required_keys=(KESTRA_IMAGE POSTGRES_IMAGE KESTRA_HTTP_PORT KESTRA_MANAGEMENT_PORT
    KESTRA_DB_HOST KESTRA_DB_PORT KESTRA_DB_NAME KESTRA_DB_USER KESTRA_DB_PASSWORD KESTRA_DB_VOLUME
    KESTRA_BASICAUTH_USERNAME KESTRA_BASICAUTH_PASSWORD)

need_settings() {
    [ -e "$settings" ] || die "$cannot_look" "não existe $settings: rode '$stack/up.sh env' para criá-lo"
    [ -r "$settings" ] || die "$cannot_look" "sem permissão para ler $settings: pertence a $(stat -c %U "$settings")"
    ! grep -q $'\r' "$settings" ||
        die "$cannot_look" "$settings tem fins de linha do Windows (CRLF): converta com \"sed -i 's/\\r\$//' $settings\""
    # Which container is ours hangs on this one value, so only the plain way of writing it is understood.
    if grep -Eq '^([[:space:]]+|[[:space:]]*export[[:space:]]+)STACK_PREFIX|^STACK_PREFIX[[:space:]:]' "$settings" ||
        ! [[ $(setting STACK_PREFIX) =~ ^[a-z0-9_-]*$ ]]; then
        die "$cannot_look" "STACK_PREFIX em $settings não se entende:" \
            "escreva STACK_PREFIX=nome, só letras minúsculas, dígitos, - e _"
    fi
}

project() { say "$(setting STACK_PREFIX)tools"; }

# Everything that the settings can have wrong is found here, before anything is touched; sets $rendered.
need_rendered_settings() {
    need_settings
    refuse_blank_values
    refuse_bad_ports
    tell_overridden_keys
    local said
    said=$(compose config --quiet 2>&1) || explain_refused_settings "$said"
    # A warning is about a "$" that Compose took for a variable: its words are a piece of the value.
    [ -z "$said" ] || die "$refused" "o Compose lê $settings com avisos: um valor com \$ precisa de aspas simples"
    rendered=$(compose config --format json 2>/dev/null | flattened)
    [ "$(rendered_value name)" = "$(project)" ] || die "$refused" "o Compose dá à stack outro nome que STACK_PREFIX em $settings"
}

refuse_blank_values() {
    local key value blank=()
    for key in "${required_keys[@]}"; do
        value=$(setting "$key")
        [[ $value =~ [^[:space:]] ]] || blank+=("$key")
    done
    [ ${#blank[@]} -eq 0 ] || die "$refused" "${blank[*]} não configurado em $settings"
}

tell_overridden_keys() {
    local key
    for key in "${required_keys[@]}"; do
        if [ -n "${!key:-}" ] && [ "${!key}" != "$(in_file "$key" "$settings")" ]; then
            warn "⚠️  $key vem do ambiente deste terminal, não de $settings"
        fi
    done
}

# Compose quotes the line that it does not understand, which may hold a password: only a name is taken from it.
explain_refused_settings() {
    if [[ $1 =~ required\ variable\ ([A-Z_]+)\ is ]]; then
        die "$refused" "${BASH_REMATCH[1]} não configurado em $settings"
    fi
    die "$refused" "o Compose não entende $settings: veja com" \
        "'docker compose -f $stack/tools/compose/docker-compose.tools.yml config --quiet'"
}

# JSON as Compose writes it, one "path.of.keys=value" a line; the value stays as JSON writes it.
flattened() {
    awk '
        { sub(/^ +/, ""); sub(/,$/, "") }
        /^[]}]/ { depth--; next }
        {
            key = ""; value = $0
            if (match($0, /^"([^"\\]|\\.)*": /)) { key = substr($0, 2, RLENGTH - 4); value = substr($0, RLENGTH + 1) }
            else if (depth > 0) key = count[depth]++
            if (value == "{" || value == "[") {
                depth++
                path[depth] = path[depth - 1] key (key == "" ? "" : ".")
                count[depth] = 0
                next
            }
            print path[depth] key "=" value
        }'
}

# The value at a path of $rendered, as the container would get it.
rendered_value() {
    local line
    while IFS= read -r line; do
        [[ $line == "$1="* ]] || continue
        line=${line#*=}
        line=${line#\"}
        line=${line%\"}
        # The one escape of JSON that printf does not know.
        line=${line//\\\"/\"}
        printf '%b\n' "${line//'$$'/'$'}"
        return
    done <<<"$rendered"
}

database_setting() { rendered_value "services.kestra.environment.TOOLS_DB_$1"; }

# "ADDRESS PORT" of each port that Kestra is to be published on, in the order of the Compose file.
published_ports() {
    local index port address
    for index in 0 1; do
        port=$(rendered_value "services.kestra.ports.$index.published")
        address=$(rendered_value "services.kestra.ports.$index.host_ip")
        say "${address:-0.0.0.0} $port"
    done
}

refuse_bad_ports() {
    local key port before=none
    for key in KESTRA_HTTP_PORT KESTRA_MANAGEMENT_PORT; do
        port=$(setting "$key")
        if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$((10#$port))" -lt 1 ] || [ "$((10#$port))" -gt 65535 ]; then
            die "$refused" "Porta inválida em $key: um número de 1 a 65535 é necessário"
        fi
        [ "$port" != "$before" ] || die "$refused" "KESTRA_HTTP_PORT e KESTRA_MANAGEMENT_PORT têm o mesmo valor"
        before=$port
    done
}

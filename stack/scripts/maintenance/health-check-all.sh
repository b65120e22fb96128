#!/usr/bin/env bash
# Judge the health of this stack's services, within limits, and say it as text or as JSON: health-check-all.sh --help
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

known=(kestra kestra-postgres)

usage() {
    cat <<'TEXT'
uso: health-check-all.sh [--services kestra,kestra-postgres] [--format text|json]
  --services A,B    só estes serviços; sem isto, todos
  --format          text (padrão): overallHealth=healthy e uma linha por serviço; json: o mesmo para programas
saída: 0 healthy; 1 unhealthy; 2 algo foi digitado errado; 3 unknown: nada pôde ser visto
TEXT
}

# Text as JSON writes it; whatever comes in, the answer is JSON.
quoted() {
    local text=$1
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//[$'\x01'-$'\x1f']/ }
    printf '"%s"' "$text"
}

# report NAME STATUS ENDPOINT MESSAGE
report() {
    [ "$2" = healthy ] || overall=unhealthy
    lines+=("$1: $2 ($4)")
    entries+=("{\"name\":$(quoted "$1"),\"status\":$(quoted "$2"),\"endpoint\":$(quoted "$3"),\"message\":$(quoted "$4")}")
}

# conclude HEALTH STATUS [ERROR]: the last words, in the form that was asked for.
conclude() {
    local health=$1 status=$2 error=${3:-} all_ok=false
    [ "$health" != healthy ] || all_ok=true
    if [ "$format" = json ]; then
        local services
        services=$(IFS=, && printf '%s' "${entries[*]}")
        printf '{"overallHealth":"%s","timestamp":"%s","localServices":[%s],"summary":{"allOk":%s,"servicesChecked":%d}%s}\n' \
            "$health" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$services" "$all_ok" "${#entries[@]}" \
            "$([ -z "$error" ] || printf ',"error":%s' "$(quoted "$error")")"
    else
        say "overallHealth=$health"
        [ ${#lines[@]} -eq 0 ] || printf '%s\n' "${lines[@]}"
    fi
    [ -z "$error" ] || warn "❌ $error"
    exit "$status"
}

check_kestra() {
    local id state endpoint address port answer said
    id=$(first_line "$(ids_of kestra)")
    if [ -z "$id" ]; then
        report kestra down '' "nenhum contêiner Kestra ativo"
        return
    fi
    state=$(fact "$id" '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}') || state=gone
    if [[ $state != running\ * ]]; then
        report kestra down '' "contêiner $(short "$id"): ${state% *}"
        return
    fi
    endpoint=$(endpoint_of "$id")
    if [ -z "$endpoint" ]; then
        report kestra unhealthy '' "contêiner $(short "$id") não publica a porta de gerência"
        return
    fi
    read -r address port <<<"$endpoint"
    answer=$(answer_of "$id" /health)
    said="HTTP ${answer% *}, status ${answer#* }, contêiner ${id:0:12}"
    if [ "$answer" = "000 -" ]; then said="sem resposta, contêiner ${id:0:12}"; fi
    [ "$port" = "$(setting KESTRA_MANAGEMENT_PORT)" ] || said+=", o .env diz outra porta"
    if [ "$answer" = "200 UP" ] && [ "${state#* }" != unhealthy ]; then
        report kestra healthy "http://$address:$port/health" "$said"
    else
        report kestra unhealthy "http://$address:$port/health" "$said, Docker: ${state#* }"
    fi
}

# Postgres' own health check is green for a wrong password, so somebody logs in, over the network.
check_kestra_postgres() {
    local id state
    id=$(first_line "$(ids_of kestra-postgres)")
    state=$([ -z "$id" ] || fact "$id" '{{.State.Status}}')
    if [ "$state" != running ]; then
        report kestra-postgres down '' "${state:-nenhum contêiner}"
        return
    fi
    state=$( (need_rendered_settings) 2>&1 >/dev/null | grep '^❌') || true
    if [ -n "$state" ]; then
        report kestra-postgres unhealthy '' "${state#❌ }"
        return
    fi
    need_rendered_settings 2>/dev/null
    try_login
    if [ -z "$finding" ]; then
        report kestra-postgres healthy '' "login pela rede, contêiner $(short "$id")"
    else
        report kestra-postgres unhealthy '' "${finding#database }"
    fi
}

check_service() {
    case $1 in
    kestra) check_kestra ;;
    kestra-postgres) check_kestra_postgres ;;
    *) return 1 ;;
    esac
}

read_arguments() {
    local complaint=''
    while [ $# -gt 0 ]; do
        case $1 in
        --format | --services)
            [ $# -ge 2 ] || { complaint="$1 precisa de um valor" && break; }
            set -- "$1=$2" "${@:3}"
            continue
            ;;
        --format=text | --format=json) format=${1#*=} ;;
        --format=*) complaint="formato desconhecido (existem: text, json)" ;;
        --services=*) IFS=, read -ra services <<<"${1#*=}" ;;
        --help | -h) usage && exit ;;
        *) complaint="opção desconhecida (health-check-all.sh --help)" ;;
        esac
        shift
    done
    [ -z "$complaint" ] || conclude unknown "$usage_error" "$complaint"
}

refuse_unknown_services() {
    local service
    [ ${#services[@]} -gt 0 ] || conclude unknown "$usage_error" "nenhum serviço foi nomeado (existem: ${known[*]})"
    for service in "${services[@]}"; do
        [[ " ${known[*]} " == *" ${service:-/} "* ]] ||
            conclude unknown "$usage_error" \
                "serviço desconhecido: '$(tr -cd 'A-Za-z0-9._-' <<<"$service")' (existem: ${known[*]})"
    done
}

main() {
    format=text services=("${known[@]}") entries=() lines=() overall=healthy
    local problem service
    read_arguments "$@"
    refuse_unknown_services
    # In a shell of their own: what they have to say must become part of the answer.
    if ! problem=$( (need_settings && need_engine && need_compose) 2>&1); then
        conclude unknown "$cannot_look" "${problem#❌ }"
    fi
    for service in "${services[@]}"; do check_service "$service"; done
    if [ $overall = healthy ]; then conclude healthy 0; else conclude unhealthy "$refused"; fi
}

main "$@"

#!/usr/bin/env bash
# Start this stack's Kestra anew from .env, and wait until it is ready: run.sh --help
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

usage() {
    cat <<'TEXT'
uso: run.sh [--detach] [--timeout SEGUNDOS]
  --detach, -d          volta quando o Kestra está pronto; sem isto, mostra os logs depois (Ctrl-C não o encerra)
  --timeout SEGUNDOS    quanto esperar até que esteja pronto (180)
Tudo vem do .env da raiz. Um Kestra em execução só é encerrado depois que tudo o que pode falhar foi verificado.
TEXT
}

main() {
    local detach='' limit=180 status=0
    while [ $# -gt 0 ]; do
        case $1 in
        --detach | -d) detach=yes ;;
        --timeout | --timeout=*)
            if [ "$1" = --timeout ]; then limit=${2:-} && shift; else limit=${1#*=}; fi
            [[ $limit =~ ^[1-9][0-9]{0,4}$ ]] || die "$usage_error" "--timeout precisa de um número de segundos"
            ;;
        --help | -h) usage && exit ;;
        *) die "$usage_error" "opção desconhecida: $1 (run.sh --help)" ;;
        esac
        shift
    done
    need_engine
    need_compose
    need_rendered_settings
    need_images
    refuse_namesakes
    start_neighbours kestra-postgres
    try_out
    case $finding in
    "port "*) die "$refused" "${finding#port }: ajuste KESTRA_HTTP_PORT/KESTRA_MANAGEMENT_PORT em $settings" ;;
    "database "*) die "$refused" "${finding#database }; o contêiner anterior não foi tocado" ;;
    esac
    recreate_kestra || status=$?
    wait_until_ready "$limit"
    [ $status -eq 0 ] || warn "⚠️  O Kestra está pronto, mas o contêiner anterior não terminou limpo (acima)"
    [ -z "$detach" ] || exit $status
    exec docker logs --follow --tail all "$(first_line "$(ids_of kestra)")" 2>&1
}

main "$@"

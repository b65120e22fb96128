#!/usr/bin/env bash
# Show the newest lines of this stack's Kestra, follow them, or save all of them to a file: logs.sh --help
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

usage() {
    cat <<'TEXT'
uso: logs.sh [--tail N] [--follow | --save[=ARQUIVO]]
  --tail N, -n N      quantas linhas, as mais novas (200); "all" são todas
  --follow, -f        continua mostrando até Ctrl-C
  --save[=ARQUIVO]    salva todas as linhas (ou as de --tail) num arquivo novo, que só você pode ler;
                      sem nome: kestra-<data>-<ID>.log na pasta de estado (~/.local/state/kestra-restart/logs)
TEXT
}

# save ID LINES FILE: complete or not at all, and never over a file that is there.
save() {
    local id=$1 lines=$2 file=$3 draft
    if [ -z "$file" ]; then
        local folder=${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/kestra-restart/logs
        mkdir -p "$folder" 2>/dev/null || die "$cannot_look" "não é possível criar $folder: use --save=ARQUIVO"
        file=$folder/kestra-$(date -u +%Y%m%dT%H%M%SZ)-$(short "$id").log
    fi
    umask 077
    draft=$(mktemp "$file.XXXXXX" 2>/dev/null) || die "$cannot_look" "não é possível escrever em $(dirname "$file")"
    # shellcheck disable=SC2064  # the name as it is now
    trap "rm -f '${draft//\'/\'\\\'\'}'" EXIT
    docker logs --tail "$lines" "$id" >"$draft" 2>&1 || die "$refused" "os logs de $(short "$id") não puderam ser lidos por inteiro"
    ln -T "$draft" "$file" 2>/dev/null || die "$refused" "$file já existe: nada foi salvo"
    say "💾 Logs do contêiner $(short "$id") salvos em $file ($(wc -l <"$file") linhas)"
}

main() {
    local tail='' mode=show file='' ids id
    while [ $# -gt 0 ]; do
        case $1 in
        --tail | -n)
            tail=${2:-}
            [[ $tail =~ ^([0-9]+|all)$ ]] || die "$usage_error" "$1 precisa de um número ou de all"
            shift
            ;;
        --tail=*)
            tail=${1#*=}
            [[ $tail =~ ^([0-9]+|all)$ ]] || die "$usage_error" "--tail precisa de um número ou de all"
            ;;
        --follow | -f)
            [ $mode != save ] || die "$usage_error" "--follow e --save não combinam"
            mode=follow
            ;;
        --save | --save=*)
            [ $mode != follow ] || die "$usage_error" "--follow e --save não combinam"
            mode=save
            if [[ $1 == --save=* ]]; then
                file=${1#*=}
            elif [ -n "${2:-}" ] && [[ $2 != -* ]]; then
                file=$2
                shift
            fi
            ;;
        --help | -h) usage && exit ;;
        *) die "$usage_error" "opção desconhecida: $1 (logs.sh --help)" ;;
        esac
        shift
    done
    need_settings
    need_engine
    ids=$(ids_of kestra)
    [ -n "$ids" ] || die "$refused" "Kestra não está em execução."
    id=$(first_line "$ids")
    is_alive "$id" || warn "ℹ️  $(short "$id") está parado: são os seus últimos logs"
    case $mode in
    save) save "$id" "${tail:-all}" "$file" ;;
    follow)
        warn "▶️  Exibindo logs para contêiner $(short "$id") (Ctrl-C para sair)"
        exec docker logs --follow --tail "${tail:-200}" "$id" 2>&1
        ;;
    show)
        warn "▶️  Exibindo logs para contêiner $(short "$id") (últimas linhas: ${tail:-200})"
        timeout --foreground 60 docker logs --tail "${tail:-200}" "$id" 2>&1
        ;;
    esac
}

main "$@"

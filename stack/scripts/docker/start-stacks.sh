#!/usr/bin/env bash
# Start the Tools stack, Kestra included unless it is to be left out or cannot have its ports: start-stacks.sh --help
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

usage() {
    cat <<'TEXT'
uso: start-stacks.sh [--phase tools]
  --phase tools    a única fase desta stack
ambiente: SKIP_Kestra_AUTO_START=1 deixa o Kestra de fora (0, false e vazio não o deixam)
saída: 0 iniciada; 5 iniciada sem o Kestra, porque uma de suas portas está em uso
TEXT
}

# One letter in another case, and a name means nothing to anybody.
tell_names_that_nobody_reads() {
    local name
    for name in $(compgen -e); do
        if [ "$name" != SKIP_Kestra_AUTO_START ] && [[ ${name^^} =~ ^SKIP_?KESTRA ]]; then
            warn "⚠️  Ninguém lê $name: a variável se chama SKIP_Kestra_AUTO_START"
        fi
    done
}

# All services of the Compose file but Kestra.
neighbours() { compose config --services | grep -vx kestra; }

start_kestra() {
    local id status=0
    id=$(first_line "$(alive_ids_of kestra)")
    if [ -n "$id" ] && is_current "$id"; then
        say "✓ Kestra já está em execução como o .env manda: não foi tocado ($(short "$id"))"
    else
        try_out
        case $finding in
        "port "*) leave_kestra_out "${finding#port }" "$id" ;;
        "database "*) die "$refused" "${finding#database }; o Kestra não foi tocado" ;;
        esac
        recreate_kestra || status=$?
    fi
    wait_until_ready 180
    return $status
}

leave_kestra_out() {
    warn "⚠️  $1: o Kestra fica de fora, os demais serviços seguem ativos."
    warn "   Ajuste KESTRA_HTTP_PORT/KESTRA_MANAGEMENT_PORT em $settings para portas livres."
    [ -z "$2" ] || warn "   O Kestra que já estava em execução não foi tocado ($(short "$2"))."
    exit "$left_out"
}

main() {
    while [ $# -gt 0 ]; do
        case $1 in
        --phase | --phase=*)
            local phase
            if [ "$1" = --phase ]; then phase=${2:-} && shift; else phase=${1#*=}; fi
            [ "$phase" = tools ] || die "$usage_error" "fase desconhecida: '$phase' (existe: tools)"
            ;;
        --help | -h) usage && exit ;;
        *) die "$usage_error" "opção desconhecida: $1 (start-stacks.sh --help)" ;;
        esac
        [ $# -eq 0 ] || shift
    done
    tell_names_that_nobody_reads
    need_engine
    need_compose
    need_rendered_settings
    need_images
    refuse_namesakes
    local others status=0
    mapfile -t others < <(neighbours)
    start_neighbours "${others[@]}"
    if is_skipped; then
        say "↳ SKIP_Kestra_AUTO_START=$SKIP_Kestra_AUTO_START: a stack Tools inicia sem o Kestra"
    else
        start_kestra || status=$?
    fi
    say "✓ Stack Tools iniciada ($(project))"
    exit $status
}

main "$@"

#!/usr/bin/env bash
# Say whether this stack's Kestra runs, and what it is: status.sh
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

# Sets $status where the container is not what one wants to find.
describe() {
    local id=$1 state health code line
    # shellcheck disable=SC2016  # a template of Go
    mapfile -t line < <(fact "$id" '{{.State.Status}}
{{if .State.Health}}{{.State.Health.Status}}{{else}}sem verificação{{end}}
{{.State.ExitCode}}
{{.Name}}
{{.Config.Image}}
{{.Image}}
{{.State.StartedAt}}
{{range $inside, $all := .NetworkSettings.Ports}}{{range $all}}{{.HostIp}}:{{.HostPort}}->{{$inside}} {{end}}{{end}}')
    [ ${#line[@]} -ge 8 ] || die "$cannot_look" "o contêiner $(short "$id") desapareceu enquanto era lido: repita"
    state=${line[0]} health=${line[1]} code=${line[2]}
    case $state in
    running)
        [ "$health" != unhealthy ] || status=$refused
        if [ $status = 0 ]; then say "▶️  Kestra em execução"; else say "⚠️  Kestra em execução, mas sem saúde"; fi
        ;;
    paused) status=$refused && say "⏸️  Kestra está pausado" ;;
    restarting) status=$refused && say "🔁 Kestra está reiniciando em laço (último código $code)" ;;
    *) status=$refused && say "Nenhum contêiner Kestra ativo." && say "⏹️  O último está parado ($state, código $code):" ;;
    esac
    say "  ID:     $(short "$id")"
    say "  Nome:   ${line[3]#/}"
    say "  Imagem: ${line[4]} (${line[5]:7:12})"
    say "  Desde:  ${line[6]}"
    say "  Saúde:  $health"
    say "  Portas: ${line[7]:-nenhuma publicada}"
}

main() {
    [ $# -eq 0 ] || die "$usage_error" "opção desconhecida: $1 (status.sh não tem opções)"
    need_settings
    need_engine
    local ids id status=0
    ids=$(ids_of kestra)
    for id in $ids; do describe "$id"; done
    if [ -z "$ids" ]; then
        say "Nenhum contêiner Kestra ativo."
        status=$refused
    fi
    [ -z "$(namesake kestra)" ] || warn "⚠️  O contêiner $(project)-kestra não é desta stack (sem os rótulos do Compose)"
    exit $status
}

main "$@"

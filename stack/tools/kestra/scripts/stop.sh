#!/usr/bin/env bash
# Stop this stack's Kestra, with the time that its tasks need, and say how it ended: stop.sh
set -euo pipefail

stack=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../.." && pwd)
# shellcheck source=stack/scripts/lib/stack.sh
. "$stack/scripts/lib/stack.sh"

main() {
    [ $# -eq 0 ] || die "$usage_error" "opção desconhecida: $1 (stop.sh não tem opções)"
    need_settings
    need_engine
    local ids
    ids=$(alive_ids_of kestra)
    if [ -z "$ids" ]; then
        say "ℹ️  Nenhum contêiner em execução"
        exit 0
    fi
    say "🛑 Encerrando contêiner(es) Kestra..."
    # shellcheck disable=SC2086  # ids, one a line
    stop_kestra $ids
}

main "$@"

# shellcheck shell=bash
# The stop: with the time that Kestra needs for its tasks, and judged by how the process ended.

# Seconds until Docker kills: what Compose noted, or Kestra's own drain if that is longer.
grace_of() {
    local noted drain
    noted=$(fact "$1" '{{if .Config.StopTimeout}}{{.Config.StopTimeout}}{{else}}10{{end}}')
    drain=$(fact "$1" '{{range .Config.Env}}{{println .}}{{end}}' | drain_in_seconds)
    if [ "${drain:-0}" -ge "$noted" ]; then say $((drain + 5)); else say "$noted"; fi
}

drain_in_seconds() {
    sed -nE 's/^ *termination-grace-period: *"?([0-9]+)([smh])"?$/\1 \2/p' |
        awk '{ print $1 * ($2 == "h" ? 3600 : $2 == "m" ? 60 : 1); exit }'
}

# Stop every container of Kestra that is alive; fails with $was_killed if one did not end by itself.
stop_kestra() {
    local id status=0
    for id in "$@"; do stop_container "$id" || status=$?; done
    return "$status"
}

stop_container() {
    local id=$1 grace end
    grace=$(grace_of "$id") || return
    say "  … $(short "$id") tem até $grace s para terminar suas tarefas"
    if ! "${aside[@]}" timeout --foreground $((grace + 60)) docker stop -t "$grace" "$id" >/dev/null; then
        warn "  ✗ $(short "$id") não foi interrompido: o Docker não aceitou a parada"
        return "$refused"
    fi
    end=$(fact "$id" '{{.State.Running}} {{.State.ExitCode}} {{.State.OOMKilled}}') || end="unknown"
    # 143 is "ended by the SIGTERM that it was sent", 137 the same for SIGKILL.
    case $end in
    "false 143 false" | "false 0 false")
        say "  ✓ $(short "$id") interrompido"
        ;;
    "false 137 "* | "false "*" true")
        warn "  ✗ $(short "$id") foi morto (SIGKILL) depois de $grace s: tarefas em andamento podem ter se perdido"
        return "$was_killed"
        ;;
    "false "*)
        end=${end#false }
        warn "  ✗ $(short "$id") parou com o código ${end% *}: não foi um encerramento limpo"
        return "$was_killed"
        ;;
    *)
        warn "  ✗ $(short "$id"): não se sabe como terminou"
        return "$refused"
        ;;
    esac
}

# shellcheck shell=bash
# Health is what the server says of itself, in the body, on the port that its own container publishes.

# "ADDRESS PORT" on this machine that leads to the container's management port; blank if nothing does.
endpoint_of() {
    local published address port
    published=$(fact "$1" '{{range (index .NetworkSettings.Ports "8081/tcp")}}{{println .HostIp .HostPort}}{{end}}')
    read -r address port <<<"$published" || true
    [ -n "$port" ] || return 0
    case $address in
    0.0.0.0) address=127.0.0.1 ;;
    ::) address=::1 ;;
    esac
    say "$address $port"
}

# fetch ADDRESS PORT PATH: the whole answer, status line first; fails where none comes within five seconds.
fetch() {
    # shellcheck disable=SC2016  # the inner shell expands
    timeout 5 bash -c '
        exec 3<>"/dev/tcp/$1/$2"
        printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$3" >&3
        cat <&3' fetch "$@" 2>/dev/null
}

# The "status" of a JSON object itself: its details have one each, and one of them is UP though the whole is DOWN.
own_status() {
    sed -E 's/^[^{]*\{//; s/\}[^}]*$//; :a; s/\{[^{}]*\}//g; ta' <<<"${1//$'\n'/ }" |
        sed -nE 's/.*"status" *: *"([A-Za-z_]+)".*/\1/p'
}

# "CODE STATUS" that a container's management port answers; "000 -" where nothing answers.
answer_of() {
    local address port whole code=000 status='' endpoint
    endpoint=$(endpoint_of "$1")
    read -r address port <<<"$endpoint" || true
    if [ -n "$port" ] && whole=$(fetch "$address" "$port" "$2"); then
        whole=${whole//$'\r'/}
        if [[ $whole =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]]; then code=${BASH_REMATCH[1]}; fi
        status=$(own_status "${whole#*$'\n\n'}")
    fi
    say "$code ${status:--}"
}

is_up() { [ "$(answer_of "$1" "$2")" = "200 UP" ]; }

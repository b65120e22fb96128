#!/bin/bash -p
# Stands in for a program of the engine or of this machine's sockets: hands each call on, and does what the answer says.
exec 9<>"/dev/tcp/127.0.0.1/$(</run/rehearsal/bin/.port)" || exit 125
{
    printf '%s\0' "${0##*/}" "$PWD" $# "$@"
    command -p env -0
    printf '\0'
} >&9
while IFS= read -r -d '' word <&9; do
    case $word in
    say)
        IFS= read -r -d '' stream <&9 && IFS= read -r -d '' size <&9
        command -p head -c "$size" <&9 >&"$stream"
        ;;
    drain) command -p timeout 5 cat >/dev/null ;;
    compose | compose-aloud)
        IFS= read -r -d '' count <&9
        words=()
        while [ "$count" -gt 0 ]; do
            IFS= read -r -d '' one <&9
            words+=("$one")
            count=$((count - 1))
        done
        if [ "$word" = compose ]; then
            said=$(/run/rehearsal/real/docker-compose "${words[@]}" 2>/dev/null)
        else
            said=''
            /run/rehearsal/real/docker-compose "${words[@]}" 9>&-
        fi
        printf '%s\0%s\0' $? "$said" >&9
        ;;
    exit)
        IFS= read -r -d '' code <&9
        exit "$code"
        ;;
    esac
done
echo "the rehearsal has ended" >&2
exit 125

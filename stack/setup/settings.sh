# shellcheck shell=bash
# The .env: made at first start with secrets of its own; afterwards it belongs to the operator.

settings=$stack/.env

# The value of a key: the environment's, as for Compose, else the file's last line for it.
setting() { if [ -n "${!1:-}" ]; then say "${!1}"; else in_file "$1" "$settings"; fi; }

in_file() {
    [ -r "$2" ] || return 0
    sed -nE "s/^$1=(.*)\$/\1/p" "$2" | tail -n 1 | sed -E "s/\r\$//; s/^'(.*)'\$/\1/; s/^\"(.*)\"\$/\1/"
}

# Rewrite keys of a file at once: set_in_file FILE KEY VALUE [KEY VALUE …]
set_in_file() {
    local file=$1 whole
    shift
    whole=$(<"$file")
    while [ $# -gt 0 ]; do
        whole=$(KEY=$1 VALUE=$2 awk 'index($0, ENVIRON["KEY"] "=") == 1 { print ENVIRON["KEY"] "=" ENVIRON["VALUE"]; next } 1' \
            <<<"$whole")
        shift 2
    done
    # Drafts lie outside the checkout: one that is left behind must not end in a commit.
    (umask 077 && printf '%s\n' "$whole" >"$state/env.draft") && mv "$state/env.draft" "$file"
}

# 24 letters and digits with at least one of each kind; nothing that a file format could take for its own.
random_secret() {
    local secret=''
    until [[ ${#secret} -eq 24 && $secret =~ [A-Z] && $secret =~ [a-z] && $secret =~ [0-9] ]]; do
        secret=$(head -c 128 /dev/urandom | base64 -w 0 | tr -dc 'A-Za-z0-9' | head -c 24)
    done
    say "$secret"
}

bring_settings() {
    if [ -e "$settings" ]; then
        settings_follow_environment
    else
        create_settings
    fi
}

create_settings() {
    choose_images
    refuse_orphaned_data
    [ -w "$stack" ] || die "cannot write $settings: this folder belongs to $(stat -c %U "$stack"); use a checkout of yours"
    say "settings: making $settings with random passwords (only you can read it)"
    local draft
    draft=$(mktemp "$state/env.XXXXXX")
    cp "$stack/.env.example" "$draft"
    set_in_file "$draft" KESTRA_DB_PASSWORD "$(random_secret)" KESTRA_BASICAUTH_PASSWORD "$(random_secret)" \
        KESTRA_IMAGE "$chosen_kestra" POSTGRES_IMAGE "$chosen_postgres" KESTRA_DB_VOLUME "$chosen_volume"
    # What this start was given must hold for the next one too, which may not be given it.
    local key
    for key in STACK_PREFIX KESTRA_HTTP_PORT KESTRA_MANAGEMENT_PORT UNDERSTUDY; do
        [ -z "${!key:-}" ] || set_in_file "$draft" "$key" "${!key}"
    done
    mv "$draft" "$settings"
}

# A volume made with another .env keeps that one's password: a new one could never log in.
refuse_orphaned_data() {
    local volume
    volume=$(setting STACK_PREFIX)tools-$chosen_volume
    if docker volume inspect "$volume" >/dev/null 2>&1; then
        die "$settings is missing, but the database's volume $volume is there and keeps the old password:" \
            "put the old .env back, or remove the data with 'stack/up.sh down --data'"
    fi
}

# KESTRA_IMAGE in the environment wins over the file, unless that would change a stack that exists.
settings_follow_environment() {
    choose_images
    local wanted=$chosen_kestra there
    if [ "$(in_file KESTRA_IMAGE "$settings")" = "$wanted" ]; then
        say "settings: $settings is there, left as it is"
        return
    fi
    there=$(container_of kestra)
    if [ -n "$there" ]; then
        die "KESTRA_IMAGE asks for $wanted, but the stack in $stack has" \
            "$(docker inspect --format '{{.Config.Image}}' "$there"): end it first ('stack/up.sh down'; its data are kept)," \
            "or unset KESTRA_IMAGE"
    fi
    say "settings: $settings now names $wanted and a database volume of its own"
    set_in_file "$settings" KESTRA_IMAGE "$wanted" POSTGRES_IMAGE "$chosen_postgres" KESTRA_DB_VOLUME "$chosen_volume"
}

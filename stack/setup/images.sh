# shellcheck shell=bash
# The images: a registry's if one answers at once, else built from the distribution's packages.

understudy_image="kestra-understudy:0.20.7"
understudy_versions=(0.20.7 0.21.0)
built_postgres="kestra-restart-postgres:15"
# How long a registry may take for its first answer, and for a whole image.
answer_limit=5
pull_limit=1200

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

is_understudy() { [ "$(docker image inspect --format '{{index .Config.Labels "io.kestra-restart.understudy"}}' "$1" 2>/dev/null)" = true ]; }

label_of() { docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true; }

# Decide, without side effects, which images the stack uses: sets chosen_kestra, chosen_postgres, chosen_volume.
choose_images() {
    local real_kestra real_postgres
    real_kestra=$(in_file KESTRA_IMAGE "$stack/.env.example")
    real_postgres=$(in_file POSTGRES_IMAGE "$stack/.env.example")
    chosen_kestra=${KESTRA_IMAGE:-$(in_file KESTRA_IMAGE "$settings")}
    chosen_postgres=$(in_file POSTGRES_IMAGE "$settings")
    if [ -z "$chosen_kestra" ]; then
        if has_image "$real_kestra"; then chosen_kestra=$real_kestra; else chosen_kestra=$understudy_image; fi
    fi
    if [ -z "$chosen_postgres" ]; then
        if has_image "$real_postgres"; then chosen_postgres=$real_postgres; else chosen_postgres=$built_postgres; fi
    fi
    # An understudy's database must never meet a real Kestra.
    case $chosen_kestra in
    kestra-understudy:*) chosen_volume="understudy-postgres-data" ;;
    *) if is_understudy "$chosen_kestra"; then chosen_volume="understudy-postgres-data"; else chosen_volume="kestra-postgres-data"; fi ;;
    esac
}

bring_images() {
    if [ ! -e "$settings" ]; then try_registry; fi
    choose_images
    bring_image "$chosen_kestra"
    bring_image "$chosen_postgres"
}

# Before anything is decided: ask a registry for what is not here, unless the images built here are.
try_registry() {
    local image
    for image in "${KESTRA_IMAGE:-$(in_file KESTRA_IMAGE "$stack/.env.example")}" "$(in_file POSTGRES_IMAGE "$stack/.env.example")"; do
        if has_image "$image"; then continue; fi
        if has_image "$understudy_image" && has_image "$built_postgres" && [ -z "${KESTRA_IMAGE:-}" ]; then continue; fi
        case $image in kestra-understudy:*) continue ;; esac
        say "images: asking the registry for $image (at most $answer_limit s for an answer)"
        pull "$image" || { say "images: no registry has it for us" && return; }
    done
}

bring_image() {
    case $1 in
    kestra-understudy:* | "$built_postgres")
        # A stack that runs keeps its images: a tag that moves beneath it would make the next restart an update.
        if has_image "$1" && is_running "$(container_of kestra)"; then
            say "images: $1 is here and in use, left as it is"
        else
            build_images
        fi
        ;;
    *)
        if has_image "$1"; then
            say "images: $1 is here"
        else
            say "images: pulling $1"
            pull "$1" || die "the image $1 is not here, and no registry gave it within the time (log: $state/pull.log):" \
                "load it with 'docker load', or name another as KESTRA_IMAGE or POSTGRES_IMAGE in $settings"
        fi
        ;;
    esac
}

# Pull, but give up early where nobody answers: the first line comes with the registry's first answer.
pull() {
    local log=$state/pull.log deadline=$((SECONDS + answer_limit)) child
    timeout "$pull_limit" docker pull "$1" >"$log" 2>&1 9>&- </dev/null &
    child=$!
    while kill -0 $child 2>/dev/null && [ ! -s "$log" ]; do
        if [ $SECONDS -ge $deadline ]; then
            kill $child
            break
        fi
        sleep 0.1
    done
    wait $child
}

build_images() {
    if [ -n "${images_are_built:-}" ]; then return; fi
    build_base
    build_postgres
    local version
    for version in "${understudy_versions[@]}"; do build_understudy "$version"; done
    images_are_built=yes
}

base_image() { say "kestra-restart-base:$(codename)"; }

# A label on each image holds the hash of what it was made of: a change of the sources rebuilds it, nothing else does.
hash_of() {
    (cd "$stack" && find "$@" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
}

made_of() { [ "$(label_of "$1" io.kestra-restart.sources)" = "$2" ]; }

build_base() {
    local sources image tar
    sources=$(hash_of images/base.sh)
    image=$(base_image)
    if made_of "$image" "$sources"; then return; fi
    can_build_base
    tar=$state/base.tar
    say "images: building $image from this machine's package mirror (about a minute)"
    sources_of "$(codename)" >"$state/base.sources"
    logged base "$stack/images/base.sh" "$(codename)" "$tar" "$state/base.sources" ||
        die "the root file system could not be built: see $state/base.log"
    local before
    before=$(id_of "$image")
    docker import --change "LABEL io.kestra-restart.sources=$sources" "$tar" "$image" >/dev/null
    rm -f "$tar"
    retire "$before"
}

can_build_base() {
    is_debian || die "no registry answers, and images can be built on a Debian-like system only:" \
        "load $(in_file KESTRA_IMAGE "$stack/.env.example") and $(in_file POSTGRES_IMAGE "$stack/.env.example") with 'docker load'"
    is_root || die "no registry answers, and only root can build the images: run 'sudo stack/up.sh images --built', then this again"
    command -v mmdebstrap >/dev/null || install_packages mmdebstrap
}

build_postgres() {
    local sources major
    sources=$(hash_of images/postgres images/base.sh)
    if made_of "$built_postgres" "$sources"; then
        say "images: $built_postgres is here"
        return
    fi
    logged run docker run --rm --network none "$(base_image)" ls /usr/lib/postgresql ||
        die "the engine cannot run a container (its reason stands above): repair that, then run this again"
    major=$(sort -n "$state/run.log" | tail -n 1)
    [ "$major" -ge 15 ] || die "this distribution has PostgreSQL $major, and 15 or later is needed: use a newer one"
    say "images: building $built_postgres (PostgreSQL $major)"
    build "$built_postgres" "$sources" images/postgres --build-arg MAJOR="$major"
}

build_understudy() {
    local version=$1 sources image
    image=kestra-understudy:$version
    sources=$(hash_of images/understudy images/base.sh understudy)
    if made_of "$image" "$sources"; then
        say "images: $image is here"
        return
    fi
    say "images: building $image"
    build "$image" "$sources" images/understudy understudy --build-arg VERSION="$version"
}

# build IMAGE HASH FOLDER… OPTION…: by the classic builder, which needs nothing from a registry.
# The folders are the context; the first of them holds the Dockerfile.
build() {
    local image=$1 sources=$2 dockerfile=$3/Dockerfile folders=() before
    before=$(id_of "$image")
    shift 2
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        folders+=("$1")
        shift
    done
    tar -C "$stack" --exclude=__pycache__ -cf "$state/context.tar" "${folders[@]}"
    logged build docker_build "$state/context.tar" -t "$image" -f "$dockerfile" \
        --label "io.kestra-restart.sources=$sources" --build-arg BASE="$(base_image)" "$@" ||
        die "the image $image could not be built: see $state/build.log"
    rm -f "$state/context.tar"
    retire "$before"
}

id_of() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }

# The image that a new one took the name from would fill the disk unseen. One with another name, or in use, stays.
retire() {
    [ "$(docker image inspect --format '{{len .RepoTags}}' "${1:-none}" 2>/dev/null)" = 0 ] || return 0
    docker image rm "$1" >/dev/null 2>&1 || true
}

docker_build() {
    local context=$1
    shift
    DOCKER_BUILDKIT=0 docker build --network none "$@" - <"$context"
}

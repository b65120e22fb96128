"""What Docker, Compose and the shell say: in the output of commands, and in a container's own state."""

from __future__ import annotations

from procedures.diagnosis.signatures import DISK_FULL, THEN, Signature, Speaker

_D, _C, _S = Speaker.DOCKER, Speaker.COMPOSE, Speaker.SHELL
_MODE = (
    "this is the file's mode, and has nothing to do with Docker's socket",
    "`chmod +x <script>`, or `bash <script>`",
)

FROM_COMMANDS: tuple[Signature, ...] = (
    # --- Docker, about a container
    Signature(
        "out of memory",
        _D,
        r"\bOOMKilled\b",
        "exited, exit code 137, OOMKilled",
        "the kernel killed it, because it needed more memory than its limit or the host has",
        "`docker inspect -f '{{.HostConfig.Memory}}' <container>` is its limit (0: none); raise it in the compose "
        "file, or give the JVM less by `-Xmx` in JAVA_OPTS",
    ),
    Signature(
        "killed",
        _D,
        r"exit code 137(?!, OOMKilled)",
        "exited, exit code 137",
        "something killed it: a stop whose grace had passed, a `docker kill`, or the host's memory",
        "`journalctl -k --grep 'killed process'` on the engine's host shows the last one",
    ),
    Signature(
        "not startable",
        _D,
        r"executable file not found|exec format error|OCI runtime create failed",
        'exec: "server": executable file not found in $PATH: unknown',
        "the image cannot run this command: another image, another command, or another architecture",
        "`docker image inspect -f '{{.Architecture}} {{.Config.Entrypoint}}' <image>`",
    ),
    Signature(
        "name taken",
        _D,
        r'Conflict\. The container name "/?(?P<name>[^"]+)" is already in use',
        'Conflict. The container name "/tools-kestra" is already in use by container "0f3c…"',
        "another container holds the name that the start needs",
        "`docker inspect -f '{{.Config.Image}} {{.Config.Labels}}' <name>` says whose it is; "
        "`docker rename <name> <name>-aside` frees the name and ends nothing",
    ),
    Signature(
        "port published",
        _D,
        r"Bind for \S+:(?P<port>\d+) failed: port is already allocated",
        "Bind for 0.0.0.0:8080 failed: port is already allocated",
        "another container publishes this port",
        "`docker ps --filter publish=<port>` names it; change the port in `<env>`, or stop that container",
    ),
    Signature(
        "port taken",
        _D,
        r"listen tcp\d? \S+:(?P<port>\d+): bind: address already in use",
        "listen tcp4 127.0.0.1:8080: bind: address already in use",
        "a process of the engine's host, no container, listens on this port",
        "`ss -ltnp 'sport = :<port>'` there names it; change the port in `<env>`, or end that process",
    ),
    Signature(
        "network gone",
        _D,
        r"network (?P<network>\S+) not found",
        "network tools_default not found",
        "the network that a container was made for is gone: it can only be made anew",
        "`cd <root> && <compose> up -d --no-deps --force-recreate <database_service>` where it is Postgres'; "
        "for the service itself `pytest -m recover`",
    ),
    Signature(
        "stuck",
        _D,
        r"did not receive an exit event",
        "cannot stop container: tools-kestra: tried to kill container, but did not receive an exit event",
        "the engine has lost hold of the container's process, and nothing but a restart of the engine ends it",
        "in a quiet hour `systemctl restart docker`, which may stop every container of that host",
    ),
    Signature(
        "mount missing",
        _D,
        r"bind source path does not exist: (?P<path>\S+)",
        "bind source path does not exist: /srv/tools/kestra/storage",
        "a folder that the compose file mounts is not on the engine's host",
        "`ls -ld <path>` there; make it, or correct the compose file",
    ),
    Signature(
        "disk full",
        _D,
        r"no space left on device",
        "write /var/lib/docker/tmp: no space left on device",
        *DISK_FULL,
    ),
    # --- Docker, about an image
    Signature(
        "image unknown",
        _D,
        r"manifest unknown|manifest for \S+ not found",
        "manifest for kestra/kestra:v9.9.9 not found: manifest unknown: manifest unknown",
        "the registry has no image of this tag",
        "correct the tag in `<env>`; `docker image ls` shows those that are here",
    ),
    Signature(
        "image denied",
        _D,
        r"pull access denied for (?P<name>[^,\s]+)",
        "pull access denied for kestra/kestra-ee, repository does not exist or may require 'docker login'",
        "the registry does not give this image to us, or has none of this name",
        "`docker login` to that registry, or correct the name in `<env>`",
    ),
    Signature(
        "image missing",
        _D,
        r"No such image: (?P<name>\S+)",
        "Error response from daemon: No such image: kestra/kestra:v1.0.0",
        "the image is not on this engine, and a restart pulls none",
        "`docker pull <name>`, then run again",
    ),
    Signature(
        "registry limit",
        _D,
        r"toomanyrequests",
        "toomanyrequests: You have reached your pull rate limit.",
        "the registry gives nothing more to this address for some hours",
        "`docker login` raises the limit; or wait",
    ),
    Signature(
        "registry away",
        _D,
        r"dial tcp.*(connection refused|i/o timeout|no such host)|TLS handshake timeout|awaiting headers",
        'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
        "the registry does not answer the engine",
        "`docker pull <image>` once it does; what runs needs no registry",
    ),
    # --- Docker, about itself
    Signature(
        "socket denied",
        _D,
        r"permission denied while trying to connect to the [Dd]ocker (daemon socket|API)",
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "this user may not use the engine's socket",
        "`stat -c %G /var/run/docker.sock` names its group; `sudo usermod -aG GROUP $USER`, then log in anew",
    ),
    Signature(
        "engine away",
        _D,
        r"Cannot connect to the Docker daemon at",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "no engine answers there",
        "`systemctl status docker`; `docker context ls` shows which engine is asked",
    ),
    # --- Compose
    Signature(
        "external network missing",
        _C,
        r"network (?P<network>\S+) declared as external, but could not be found",
        "network kestra_internal declared as external, but could not be found",
        "a network that Compose does not make by itself does not exist",
        f"`docker network create <network>`; {THEN}",
    ),
    Signature(
        "external volume missing",
        _C,
        r'external volume "(?P<volume>[^"]+)" not found',
        'external volume "kestra-data" not found',
        "a volume that Compose does not make by itself does not exist; a new one would be empty",
        "`docker volume ls` shows those that are there: correct its name in the compose file",
    ),
    Signature(
        "dependency unwell",
        _C,
        r"dependency failed to start: container (?P<name>\S+) (is unhealthy|exited)",
        "dependency failed to start: container tools-kestra-postgres is unhealthy",
        "what the service waits for did not become healthy",
        "`docker logs --tail 50 <name>`",
    ),
    Signature(
        "variable missing",
        _C,
        r"required variable (?P<name>\w+) is missing a value",
        "required variable KESTRA_DB_PASSWORD is missing a value: is missing from .env",
        "Compose found no value for a variable that the compose file insists on",
        "set `<name>` in `<env>`",
    ),
    Signature(
        "variable blank",
        _C,
        r'The \\?"(?P<name>\w+)\\?" variable is not set',
        'The "KESTRA_DB_PASSWORD" variable is not set. Defaulting to a blank string.',
        "Compose does not read the env file that holds this variable, and writes a blank in its place",
        "set `<name>` in the `.env` beside the compose file, or link `<env>` there",
    ),
    Signature(
        "port no number",
        _C,
        r"invalid (hostPort|containerPort|published port)|Invalid hostPort",
        "invalid hostPort: eighty",
        "a port is no number; a Windows line end after it looks so too",
        r"`grep -nP 'PORT=.*\D$' <env>` shows it; `sed -i 's/\r$//' <env>` takes Windows line ends away",
    ),
    # --- the shell
    Signature(
        "script not executable",
        _S,
        r"(?<![\w./-])(?P<script>[\w./-]+\.sh): Permission denied",
        "bash: tools/kestra/scripts/run.sh: Permission denied",
        *_MODE,
    ),
    Signature(
        "script not executable",
        _S,
        r"Permission denied: '(?P<script>[^']+)'",
        "[Errno 13] Permission denied: '/srv/tools/tools/kestra/scripts/run.sh'",
        *_MODE,
    ),
)

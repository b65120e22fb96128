"""What Kestra and Postgres say in their logs: as recorded, or as their sources word it."""

from __future__ import annotations

from procedures.diagnosis.signatures import DISK_FULL, THEN, Signature, Speaker

_K, _P = Speaker.KESTRA, Speaker.POSTGRES


_WRONG_PASSWORD = (
    "Postgres does not take this password: its volume keeps the one of its first start",
    (
        "put that one back into `<env>`, or set the new one: `docker exec -it <database> psql -U <db_user> "
        rf"-d <db_name> -c '\password <db_user>'`; {THEN}"
    ),
)
_TOO_MANY = (
    "Postgres has no connection left: other clients hold them all",
    "`<psql> -c 'select usename, client_addr, count(*) from pg_stat_activity group by 1, 2'`",
)

IN_LOGS: tuple[Signature, ...] = (
    # --- Kestra, about its database
    Signature(
        "wrong password",
        _K,
        r"FATAL:\s+password authentication failed for user",
        'FATAL: password authentication failed for user "kestra"',
        *_WRONG_PASSWORD,
    ),
    Signature(
        "no such database",
        _K,
        r'FATAL:\s+database "(?P<name>[^"]+)" does not exist',
        'FATAL: database "kestra" does not exist',
        "Postgres runs and has no database of this name: another name in the `.env`, or another volume",
        "`docker exec <database> psql -U <db_user> -d postgres -l` lists those that are there",
    ),
    Signature(
        "no such role",
        _K,
        r'FATAL:\s+role "(?P<name>[^"]+)" does not exist',
        'FATAL: role "kestra" does not exist',
        "Postgres runs and knows no such user: another name in the `.env`, or another volume",
        "`docker exec <database> psql -U postgres -c '\\du'` lists those that are there",
    ),
    Signature(
        "database refused",
        _K,
        r"Connection to \S+ refused\. Check that the hostname and port are correct",
        "Connection to kestra-postgres:5432 refused. Check that the hostname and port are correct",
        "nothing listens there: Postgres does not run, or has another port",
        f"`cd <root> && <compose> up -d --no-deps <database_service>`; {THEN}",
    ),
    Signature(
        "database unknown",
        _K,
        # A boot without internet access says the same of Kestra's own site, and is well.
        r"Caused by: java\.net\.UnknownHostException: (?!api\.kestra\.io)(?P<host>[\w.-]+)",
        "Caused by: java.net.UnknownHostException: kestra-postgres",
        "the database's name leads nowhere: Postgres does not run, or shares no network with this container",
        f"`cd <root> && <compose> up -d --no-deps <database_service>`; {THEN}",
    ),
    Signature(
        "database not ready",
        _K,
        r"FATAL:\s+the database system is (starting up|shutting down|in recovery mode)",
        "FATAL: the database system is starting up",
        "Postgres was not ready; a Kestra that meets this at its boot ends with 1",
        f"`docker inspect -f '{{{{.State.Health.Status}}}}' <database>` until it says healthy; {THEN}",
    ),
    Signature(
        "database lost",
        _K,
        r"terminating connection due to administrator command|An I/O error occurred while sending to the backend",
        "FATAL: terminating connection due to administrator command",
        "Postgres went away under a running Kestra, which does not survive that, however short it was",
        f"`docker logs --tail 50 <database>` says why; {THEN}",
    ),
    Signature(
        "database silent",
        _K,
        r"HikariPool-\d+ - Connection is not available",
        "HikariPool-1 - Connection is not available, request timed out after 30000ms",
        "Postgres gave no connection for half a minute: it is frozen, overloaded or gone",
        "`<psql> -c 'select pid, state, wait_event, query from pg_stat_activity'`; paused: `docker unpause <database>`",
    ),
    Signature(
        "no connection left",
        _K,
        r"sorry, too many clients already|remaining connection slots are reserved",
        "FATAL: sorry, too many clients already",
        *_TOO_MANY,
    ),
    # --- Kestra, about its schema
    Signature(
        "schema differs",
        _K,
        r"Migrations have failed validation",
        "Validate failed: Migrations have failed validation",
        "the migrations of this image are not those that made this database",
        "start the image that ran before: `pytest -m rollback`; nothing in the history is repaired without a copy",
    ),
    Signature(
        "migration failed",
        _K,
        r"contains a failed migration to version (?P<version>\S+)",
        'Schema "public" contains a failed migration to version 1.26 !',
        "a migration broke off half-way, and no Kestra will start on this database",
        "`<psql> -c 'select version, description from flyway_schema_history where not success'`, then bring back the copy "
        "from before the update",
    ),
    Signature(
        "migration lock",
        _K,
        r"attempting to acquire PostgreSQL advisory lock",
        "Number of retries exceeded while attempting to acquire PostgreSQL advisory lock",
        "another server holds the lock for migrations on this database",
        '`<psql> -c "select pid, application_name, client_addr from pg_stat_activity join pg_locks using (pid) '
        "where locktype = 'advisory'\"`",
    ),
    Signature(
        "schema newer",
        _K,
        r"that is newer than the latest available migration",
        'Schema "public" has a version (1.27) that is newer than the latest available migration (1.25) !',
        "a newer Kestra has migrated this database; the older one starts on it and nobody supports that",
        "name the newer image in `<env>`: `pytest -m update`",
    ),
    # --- Kestra, about itself
    Signature(
        "blank setting",
        _K,
        r"Missing required value at path: (?P<path>\S+)|Failed to inject value for parameter \[(?P<parameter>\w+)\]",
        "DependencyInjectionException: Missing required value at path: datasources.default.password",
        "a setting reached the server without a value",
        "`cd <root> && <compose> config -q` names each variable that is not set: put it into `<env>`; "
        f"`docker restart` does not read it again, {THEN}",
    ),
    Signature(
        "broken configuration",
        _K,
        r"Exception occurred parsing file",
        "Exception occurred parsing file [/app/confs/application.yml]",
        "a value from the `.env` breaks the YAML that it is written into",
        "look in `<env>` for a value with `: `, ` #`, or that begins with `@`, `%`, `!` or a quote",
    ),
    Signature(
        "basic auth rule",
        _K,
        r"(Invalid|No) (username|user name|password)( set)? for Basic Authentication",
        "Invalid username for Basic Authentication. Please provide a valid email address.",
        "Kestra refuses this user or password by its own rule: before 0.24 it does not boot, later it keeps the old ones",
        "set an e-mail address, and a password of eight characters with a capital, a small letter and a digit, in "
        f"`<env>`; {THEN}",
    ),
    Signature(
        "java options",
        _K,
        r"Could not create the Java Virtual Machine",
        "Error: Could not create the Java Virtual Machine.",
        "Java does not take the options that it was given, and no Kestra begins",
        f"the line before that one names the option: correct JAVA_OPTS in `<env>`; {THEN}",
    ),
    Signature(
        "no memory left",
        _K,
        r"java\.lang\.OutOfMemoryError",
        "java.lang.OutOfMemoryError: Java heap space",
        "the JVM has used up the memory that it may use",
        "`docker stats --no-stream <container>`; give it more: `-Xmx` in JAVA_OPTS, or a higher limit of the container",
    ),
    Signature(
        "port taken inside",
        _K,
        r"java\.net\.BindException: Address already in use",
        "java.net.BindException: Address already in use",
        "the server's own port is taken in its network: it shares the host's, or a flow listens there",
        "`docker inspect -f '{{.HostConfig.NetworkMode}}' <container>`",
    ),
    Signature(
        "fatal thread",
        _K,
        r"Caught an exception in Thread\[.*Shutting down",
        "Caught an exception in Thread[jdbc-queue-Execution_0]. Shutting down.",
        "a thread of Kestra ended by an error, and the server ends itself then",
        "`docker logs --tail 200 <container>`: the lines below that one say why",
    ),
    Signature(
        "drain cut",
        _K,
        r"pending threads after .terminationGracePeriod.",
        "Worker still has some pending threads after `terminationGracePeriod`. Forcing shutdown now.",
        "tasks ran longer than the server's own grace and were interrupted: their executions FAILED",
        "`<psql> -c 'select id, flow_id, state_current from executions order by end_date desc nulls last limit 10'`; set "
        "kestra.server.termination-grace-period higher",
    ),
    Signature(
        "disk full",
        _K,
        r"No space left on device",
        "java.io.IOException: No space left on device",
        *DISK_FULL,
    ),
    # --- Postgres
    Signature(
        "wrong password",
        _P,
        r"FATAL:\s+password authentication failed for user",
        'FATAL:  password authentication failed for user "kestra"',
        *_WRONG_PASSWORD,
    ),
    Signature(
        "no connection left",
        _P,
        r"sorry, too many clients already|remaining connection slots are reserved",
        "FATAL:  sorry, too many clients already",
        *_TOO_MANY,
    ),
    Signature(
        "database killed",
        _P,
        r"server process \(PID \d+\) was terminated by signal 9",
        "LOG:  server process (PID 84) was terminated by signal 9: Killed",
        "a process of Postgres was killed, mostly for its memory, and all sessions were cut",
        "`docker stats --no-stream <database>`; `journalctl -k --grep 'killed process'` on the engine's host",
    ),
    Signature(
        "data of another version",
        _P,
        r"database files are incompatible with server",
        "FATAL:  database files are incompatible with server",
        "the volume was made by another major version of Postgres than this image is",
        "name the image of before in `<env>`; a new major needs a dump and a restore",
    ),
    Signature(
        "no first password",
        _P,
        r"Database is uninitialized and superuser password is not specified",
        "Error: Database is uninitialized and superuser password is not specified.",
        "Postgres stands before an empty volume: this is not the volume that holds the data",
        "`docker volume ls` shows the others; compare with `cd <root> && <compose> config --volumes`",
    ),
    Signature(
        "data broken",
        _P,
        r"could not locate a valid checkpoint record",
        "PANIC:  could not locate a valid checkpoint record",
        "the data files are damaged",
        "before anything else `docker cp <database>:/var/lib/postgresql/data ./postgres-data`; then restore the last copy",
    ),
    Signature(
        "data of another user",
        _P,
        r"data directory .* has wrong ownership|could not open file .*: Permission denied",
        'FATAL:  data directory "/var/lib/postgresql/data" has wrong ownership',
        "the files in the volume belong to another user than Postgres runs as",
        "`docker exec -u root <database> ls -ln /var/lib/postgresql/data`",
    ),
    Signature(
        "disk full",
        _P,
        r"No space left on device",
        'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
        *DISK_FULL,
    ),
)

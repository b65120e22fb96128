"""The life of the server: boot, ports, the ways in which it ends, and the exit status that each has."""

from __future__ import annotations

import signal
import socket
import threading
import time

from . import announcement, instance, log, migration, store
from .database import LOST, Cursor, DatabaseUnreachable, Pool, connect
from .ending import Ending, Reason
from .executor import Executor
from .faults import Fault
from .http_api import HttpApi
from .http_server import HttpServer
from .identity import Identity
from .liveness import Liveness
from .management import Management
from .queues import Bell
from .services import Services, Timing
from .settings import Settings
from .watch import Watch
from .worker import Worker

_COMMAND = "io.kestra.cli.AbstractCommand"
_CATCHER = ".c.u.ThreadUncaughtExceptionHandlers"
_CONNECTS_AT, _STARTS_AT = 0.4, 0.65  # the parts of the boot after which Kestra does these


class Server:
    """Everything that runs in the process."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.ending = Ending()
        self.mute = False
        self.opened = float("inf")
        identity.wait_for(_CONNECTS_AT)
        self.pool = Pool(identity.configuration.datasource)
        self.watch = Watch(identity.configuration.datasource, self._fail)
        self.bell = Bell()
        timing = _timing(identity)
        self.services = Services(identity.configuration, timing, identity.release, socket.gethostname())
        self.worker = Worker(
            self.pool,
            self.bell,
            self.services.id_of("WORKER"),
            identity.release.shows_null_outputs,
            self._fail,
        )
        self.executor = Executor(self.pool, self.bell, self.worker.kill, self._fail)
        self.liveness = Liveness(self.pool, self.bell, self.services, timing, self._fail)
        self.ports: list[HttpServer] = []

    def run(self) -> int:
        """Boot, serve, end."""
        if not self._boot():
            return 1
        self._await_end()
        return self._end()

    def _boot(self) -> bool:
        identity, told = self.identity, self.identity.settings
        migration.migrate(self.pool, identity.release, self.watch.server_version)
        with self.pool.transaction() as cursor:
            _inject(cursor, told)
            instance_id = instance.instance_id(cursor)
            instance.save_basic_auth(cursor, identity.configuration.basic_auth)
            if identity.release.notes_its_version:
                instance.note_version(cursor, identity.release.version)
            strange = migration.is_beyond(cursor, identity.release)
        identity.wait_for(_STARTS_AT)
        threading.current_thread().name = "standalone"
        announcement.starting(identity)
        if told.has(Fault.CRASH_AT_BOOT):
            log.raw(
                'Exception in thread "standalone" java.lang.IllegalStateException: crash-at-boot (an injected fault)'
            )
            return False
        identity.wait_for(1)
        self.opened = time.monotonic()
        self._open(instance_id)
        if strange:  # as 1.3 on the schema of 2.0: no warning, its ports open, then it ends
            log.error(_CATCHER, 'org.postgresql.util.PSQLException: ERROR: type "queue_type" does not exist')
            self.ending.ask(Reason.CRASHED)
            return True
        self._start_services()
        return True

    def _open(self, instance_id: str) -> None:
        configuration, release_ = self.identity.configuration, self.identity.release
        told = self.identity.settings
        api = HttpApi(
            release=release_,
            auth=configuration.basic_auth,
            auth_is_asked_for=not told.has(Fault.AUTH_OFF),
            instance_id=instance_id,
            reports_usage=configuration.reports_usage,
            url=configuration.url,
            pool=self.pool,
            bell=self.bell,
            is_held=self._held,
            api_opens=self.opened + told.first_api_answer,
            on_failure=self._fail,
        )
        management = Management(
            release=release_,
            auth=configuration.basic_auth,
            source=configuration.datasource,
            watch=self.watch,
            worker=self.worker,
            unhealthy=told.has(Fault.UNHEALTHY_BODY),
            is_held=self._held,
            on_stop=lambda: self.ending.ask(Reason.STOPPED),
        )
        if not told.has(Fault.IGNORE_TERM):
            signal.signal(signal.SIGTERM, lambda *_: self.ending.ask(Reason.TERM))
            signal.signal(signal.SIGINT, lambda *_: self.ending.ask(Reason.INTERRUPT))
        self.watch.start()
        self.ports = [
            HttpServer(configuration.http_port, api),
            HttpServer(configuration.management_port, management),
        ]
        for port in self.ports:
            port.start()
        host = self.services.hostname
        ports = f"http://{host}:{configuration.http_port}, Management server on port "
        log.info(_COMMAND, f"Server Running: {ports}http://{host}:{configuration.management_port}/health")

    def _start_services(self) -> None:
        try:
            with self.pool.transaction() as cursor:
                self.services.register(cursor)
            self.executor.start()
            self.worker.start()
            with self.pool.transaction() as cursor:
                self.services.move(cursor, "RUNNING")
            self.liveness.start()
        except LOST as lost:
            self._fail(lost)
        if self.identity.settings.has(Fault.DEAD_WORKER):
            self.worker.end_thread()

    def _held(self) -> bool:
        told = self.identity.settings
        hangs = told.moment_of(Fault.HANG_AFTER, at_once=Fault.HANG)
        hanging = hangs is not None and time.monotonic() - self.opened >= hangs
        return self.mute or hanging or self.watch.frozen

    def _fail(self, failure: Exception) -> None:
        """End because a thread could not go on; whatever it was, Kestra shuts down then."""
        if self.ending.reason is None:
            thread = threading.current_thread().name
            log.error(
                _CATCHER, f"Caught an exception in Thread[{thread}]. Shutting down.\n{failure!r}".rstrip()
            )
        self.ending.ask(Reason.LOST)

    def _await_end(self) -> None:
        told = self.identity.settings
        loses = told.moment_of(Fault.LOSE_DATABASE_AFTER, at_once=Fault.LOSE_DATABASE)
        crashes = told.faults.get(Fault.CRASH_AFTER)
        while not self.ending.wait(0.1):
            passed = time.monotonic() - self.opened
            if loses is not None and passed >= loses:
                loses = None
                self.pool.drop()
                self.watch.cut()
            if crashes is not None and passed >= crashes:
                log.error(_COMMAND, "java.lang.OutOfMemoryError: crash-after (an injected fault)")
                self.ending.ask(Reason.CRASHED)
            if self.watch.silence() > told.frozen_limit:
                log.error(
                    _CATCHER,
                    "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available",
                )
                self.ending.ask(Reason.FROZEN)

    def _end(self) -> int:
        reason = self.ending.reason or Reason.CRASHED
        if reason in (Reason.CRASHED, Reason.FROZEN):
            return reason.status
        if reason is Reason.LOST and self.identity.settings.has(Fault.ZOMBIE_ON_DB_LOSS):
            self.mute = True
            while True:
                signal.pause()
        if reason is not Reason.LOST:
            try:
                return self._drain(reason)
            except LOST:
                log.error(_COMMAND, "Postgres was lost during the shutdown")
        return self._end_without_database()

    def _drain(self, reason: Reason) -> int:
        announcement.shutdown()
        with self.pool.transaction() as cursor:
            self.services.move(cursor, "TERMINATING")
        self._close_ports()
        self.liveness.stop()
        self.executor.stop()
        by_themselves = self.worker.drain(self.identity.configuration.termination_grace)
        self.watch.stop()
        with self.pool.transaction() as cursor:
            self._terminate(cursor, worker="TERMINATED_GRACEFULLY" if by_themselves else "TERMINATED_FORCED")
        announcement.completed()
        return reason.status

    def _terminate(self, cursor: Cursor, worker: str) -> None:
        self.services.move(cursor, worker, ("WORKER",))
        self.services.move(
            cursor, "TERMINATED_GRACEFULLY", tuple(kind for kind in self.services.kinds if kind != "WORKER")
        )
        if "INDEXER" in self.services.kinds:
            announcement.indexer(
                f"id={self.services.id_of('INDEXER')}, type=INDEXER, hostname={self.services.hostname}"
            )

    def _end_without_database(self) -> int:
        """Without Postgres nothing answers, and the process ends only when Postgres is back."""
        self._close_ports()
        while True:
            try:
                connection = connect(self.identity.configuration.datasource)
                break
            except DatabaseUnreachable:
                time.sleep(0.2)
        log.info("io.kestra.core.runners.Worker", "All working threads are terminated.")
        if not self.worker.runnings():
            with connection, connection.cursor() as cursor:
                self._terminate(cursor, worker="TERMINATED_GRACEFULLY")
        announcement.shutdown()
        announcement.completed()
        return 1

    def _close_ports(self) -> None:
        for port in self.ports:
            port.close()


def _inject(cursor: Cursor, told: Settings) -> None:
    if told.has(Fault.WRONG_INSTANCE):
        instance.replace_instance_id(cursor)
    if told.has(Fault.FORGET_FLOW):
        store.forget_first_flow(cursor)
    if told.has(Fault.FORGET_EXECUTION):
        store.forget_newest_execution(cursor)


def _timing(identity: Identity) -> Timing:
    told, liveness = identity.settings, identity.configuration.liveness
    return Timing(
        interval=told.liveness_interval or liveness.interval.total_seconds(),
        timeout=told.liveness_timeout or liveness.timeout.total_seconds(),
        heartbeat=told.heartbeat or liveness.heartbeat_interval.total_seconds(),
    )

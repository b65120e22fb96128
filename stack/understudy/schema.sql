-- Kestra's tables as schema 1.25 has them, by name, column and type; the columns are generated from the
-- stored document, as in Kestra. What the understudy does not use is there, and empty.
CREATE TYPE state_type AS ENUM ('CREATED', 'RUNNING', 'PAUSED', 'RESTARTED', 'KILLING', 'SUCCESS', 'WARNING',
    'FAILED', 'KILLED', 'CANCELLED', 'QUEUED', 'RETRYING', 'RETRIED');
CREATE TYPE log_level AS ENUM ('ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE');
CREATE TYPE queue_type AS ENUM (
    'io.kestra.core.models.executions.Execution',
    'io.kestra.core.models.flows.FlowWithSource',
    'io.kestra.core.models.templates.Template',
    'io.kestra.core.models.executions.ExecutionKilled',
    'io.kestra.core.runners.WorkerJob',
    'io.kestra.core.runners.WorkerTaskResult',
    'io.kestra.core.runners.WorkerInstance',
    'io.kestra.core.runners.WorkerTaskRunning',
    'io.kestra.core.models.executions.LogEntry',
    'io.kestra.core.models.triggers.Trigger',
    'io.kestra.core.models.executions.MetricEntry',
    'io.kestra.core.runners.WorkerTriggerResult',
    'io.kestra.core.runners.SubflowExecutionResult'
);

CREATE FUNCTION state_fromtext(text) RETURNS state_type LANGUAGE sql IMMUTABLE AS 'SELECT $1::state_type';
CREATE FUNCTION loglevel_fromtext(text) RETURNS log_level LANGUAGE sql IMMUTABLE AS 'SELECT $1::log_level';
CREATE FUNCTION parse_iso8601_datetime(text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT $1::timestamptz';
CREATE FUNCTION parse_iso8601_timestamp(text) RETURNS timestamp LANGUAGE sql IMMUTABLE
    AS 'SELECT $1::timestamptz AT TIME ZONE ''utc''';
CREATE FUNCTION parse_iso8601_duration(text) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS 'SELECT round(extract(epoch FROM $1::interval) * 1000)::bigint';
CREATE FUNCTION fulltext_index(text) RETURNS tsvector LANGUAGE sql IMMUTABLE
    AS 'SELECT to_tsvector(''simple'', coalesce($1, ''''))';

CREATE TABLE queues (
    "offset" SERIAL PRIMARY KEY,
    type queue_type NOT NULL,
    key VARCHAR(250) NOT NULL,
    value JSONB NOT NULL,
    updated TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    consumer_indexer BOOLEAN DEFAULT FALSE,
    consumer_executor BOOLEAN DEFAULT FALSE,
    consumer_worker BOOLEAN DEFAULT FALSE,
    consumer_scheduler BOOLEAN DEFAULT FALSE,
    consumer_flow_topology BOOLEAN DEFAULT FALSE,
    consumer_group VARCHAR(250)
);
CREATE INDEX queues_type__consumer_executor ON queues ("offset") WHERE consumer_executor = FALSE;
CREATE INDEX queues_type__consumer_worker ON queues ("offset") WHERE consumer_worker = FALSE;

CREATE TABLE flows (
    key VARCHAR(250) NOT NULL PRIMARY KEY,
    value JSONB NOT NULL,
    deleted BOOL NOT NULL GENERATED ALWAYS AS ((value ->> 'deleted')::bool) STORED,
    id VARCHAR(100) NOT NULL GENERATED ALWAYS AS (value ->> 'id') STORED,
    namespace VARCHAR(150) NOT NULL GENERATED ALWAYS AS (value ->> 'namespace') STORED,
    revision INT NOT NULL GENERATED ALWAYS AS ((value ->> 'revision')::int) STORED,
    fulltext TSVECTOR GENERATED ALWAYS AS (fulltext_index(value ->> 'namespace' || ' ' || (value ->> 'id'))) STORED,
    source_code TEXT NOT NULL,
    tenant_id VARCHAR(250) GENERATED ALWAYS AS (value ->> 'tenantId') STORED
);

CREATE TABLE executions (
    key VARCHAR(250) NOT NULL PRIMARY KEY,
    value JSONB NOT NULL,
    deleted BOOL NOT NULL GENERATED ALWAYS AS ((value ->> 'deleted')::bool) STORED,
    namespace VARCHAR(150) NOT NULL GENERATED ALWAYS AS (value ->> 'namespace') STORED,
    flow_id VARCHAR(150) NOT NULL GENERATED ALWAYS AS (value ->> 'flowId') STORED,
    state_current state_type NOT NULL GENERATED ALWAYS AS (state_fromtext(value #>> '{state, current}')) STORED,
    state_duration BIGINT GENERATED ALWAYS AS (parse_iso8601_duration(value #>> '{state, duration}')) STORED,
    start_date TIMESTAMP NOT NULL GENERATED ALWAYS AS (parse_iso8601_timestamp(value #>> '{state, startDate}')) STORED,
    end_date TIMESTAMP GENERATED ALWAYS AS (parse_iso8601_timestamp(value #>> '{state, endDate}')) STORED,
    fulltext TSVECTOR GENERATED ALWAYS AS (fulltext_index(value ->> 'flowId' || ' ' || (value ->> 'id'))) STORED,
    id VARCHAR(100) NOT NULL GENERATED ALWAYS AS (value ->> 'id') STORED,
    tenant_id VARCHAR(250) GENERATED ALWAYS AS (value ->> 'tenantId') STORED,
    trigger_execution_id VARCHAR(250)
        GENERATED ALWAYS AS (value #>> '{trigger, variables, executionId}') STORED
);
CREATE INDEX executions_start_date ON executions (start_date);

CREATE TABLE logs (
    key VARCHAR(250) NOT NULL PRIMARY KEY,
    value JSONB NOT NULL,
    deleted BOOL NOT NULL GENERATED ALWAYS AS ((value ->> 'deleted')::bool) STORED,
    namespace VARCHAR(150) NOT NULL GENERATED ALWAYS AS (value ->> 'namespace') STORED,
    flow_id VARCHAR(150) NOT NULL GENERATED ALWAYS AS (value ->> 'flowId') STORED,
    task_id VARCHAR(150) GENERATED ALWAYS AS (value ->> 'taskId') STORED,
    execution_id VARCHAR(150) GENERATED ALWAYS AS (value ->> 'executionId') STORED,
    taskrun_id VARCHAR(150) GENERATED ALWAYS AS (value ->> 'taskRunId') STORED,
    attempt_number INT GENERATED ALWAYS AS ((value ->> 'attemptNumber')::int) STORED,
    trigger_id VARCHAR(150) GENERATED ALWAYS AS (value ->> 'triggerId') STORED,
    level log_level NOT NULL GENERATED ALWAYS AS (loglevel_fromtext(value ->> 'level')) STORED,
    timestamp TIMESTAMPTZ NOT NULL GENERATED ALWAYS AS (parse_iso8601_datetime(value ->> 'timestamp')) STORED,
    tenant_id VARCHAR(250) GENERATED ALWAYS AS (value ->> 'tenantId') STORED,
    fulltext TSVECTOR GENERATED ALWAYS AS (fulltext_index(value ->> 'message')) STORED
);
CREATE INDEX logs_execution_id ON logs (execution_id);

CREATE TABLE service_instance (
    key VARCHAR(250) NOT NULL PRIMARY KEY,
    value JSONB NOT NULL,
    service_id VARCHAR(36) NOT NULL GENERATED ALWAYS AS (value ->> 'id') STORED,
    service_type VARCHAR(36) NOT NULL GENERATED ALWAYS AS (value ->> 'type') STORED,
    state VARCHAR(36) NOT NULL GENERATED ALWAYS AS (value ->> 'state') STORED,
    created_at TIMESTAMPTZ NOT NULL GENERATED ALWAYS AS (parse_iso8601_datetime(value ->> 'createdAt')) STORED,
    updated_at TIMESTAMPTZ NOT NULL GENERATED ALWAYS AS (parse_iso8601_datetime(value ->> 'updatedAt')) STORED
);

CREATE TABLE settings (key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL);
CREATE TABLE worker_job_running (
    key VARCHAR(250) NOT NULL PRIMARY KEY,
    value JSONB NOT NULL,
    worker_uuid VARCHAR(36) NOT NULL GENERATED ALWAYS AS (value #>> '{workerInstance, workerUuid}') STORED
);

CREATE TABLE triggers (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, namespace VARCHAR(150), flow_id VARCHAR(150),
    trigger_id VARCHAR(150), execution_id VARCHAR(150), fulltext TSVECTOR, tenant_id VARCHAR(250),
    next_execution_date TIMESTAMPTZ, worker_id VARCHAR(250)
);
CREATE TABLE dashboards (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, tenant_id VARCHAR(250), deleted BOOL,
    id VARCHAR(100), title VARCHAR(250), description TEXT, fulltext TSVECTOR, source_code TEXT,
    created TIMESTAMPTZ, updated TIMESTAMPTZ
);
CREATE TABLE execution_queued (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, tenant_id VARCHAR(250), namespace VARCHAR(150),
    flow_id VARCHAR(150), date TIMESTAMPTZ
);
CREATE TABLE executordelayed (key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, date TIMESTAMPTZ);
CREATE TABLE executorstate (key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL);
CREATE TABLE flow_topologies (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, source_namespace VARCHAR(150),
    source_id VARCHAR(150), relation VARCHAR(100), destination_namespace VARCHAR(150),
    destination_id VARCHAR(150), source_tenant_id VARCHAR(250), destination_tenant_id VARCHAR(250)
);
CREATE TABLE metrics (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, deleted BOOL, namespace VARCHAR(150),
    flow_id VARCHAR(150), task_id VARCHAR(150), execution_id VARCHAR(150), taskrun_id VARCHAR(150),
    metric_name VARCHAR(150), timestamp TIMESTAMPTZ, metric_value FLOAT, tenant_id VARCHAR(250)
);
CREATE TABLE multipleconditions (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, namespace VARCHAR(150), flow_id VARCHAR(150),
    condition_id VARCHAR(150), start_date TIMESTAMPTZ, end_date TIMESTAMPTZ, tenant_id VARCHAR(250)
);
CREATE TABLE sla_monitor (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, execution_id VARCHAR(150), sla_id VARCHAR(150),
    deadline TIMESTAMPTZ
);
CREATE TABLE subflow_executions (key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL);
CREATE TABLE templates (
    key VARCHAR(250) NOT NULL PRIMARY KEY, value JSONB NOT NULL, deleted BOOL, id VARCHAR(100),
    namespace VARCHAR(150), fulltext TSVECTOR, tenant_id VARCHAR(250)
);

-- What a backfill and a reconcile ask of DuckDB. Each statement is named by the line before it; `?` takes a value.
-- `due` comes from fold.sql: what each row's history part must be. fold_sql.py fills in an activity's {…}.

-- name: tables of a fold
CREATE TABLE facts (employee_id VARCHAR, event_id VARCHAR, program_id VARCHAR, points HUGEINT);
CREATE TABLE bases (
    employee_id VARCHAR, program_id VARCHAR, points HUGEINT, events HUGEINT, fingerprint HUGEINT
);

-- name: insert facts
INSERT INTO facts
SELECT employee_id, event_id, program_id, points
FROM read_json(?, format = 'newline_delimited', columns = {
    employee_id: 'VARCHAR', event_id: 'VARCHAR', program_id: 'VARCHAR', points: 'HUGEINT'
});

-- name: insert bases
INSERT INTO bases
SELECT employee_id, program_id, points, events, fingerprint
FROM read_json(?, format = 'newline_delimited', columns = {
    employee_id: 'VARCHAR', program_id: 'VARCHAR', points: 'HUGEINT', events: 'HUGEINT', fingerprint: 'HUGEINT'
});

-- name: facts to fold
SELECT employee_id, event_id, program_id, points, 'history' AS lane FROM facts

-- name: due as Athena wrote it
CREATE TABLE due AS
SELECT coalesce(employee_id, '') AS employee_id, program_id, base_points, base_events, base_fingerprint
FROM read_csv(?, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false, columns = {
    employee_id: 'VARCHAR', program_id: 'VARCHAR',
    live_points: 'HUGEINT', live_events: 'HUGEINT', live_fingerprint: 'HUGEINT',
    base_points: 'HUGEINT', base_events: 'HUGEINT', base_fingerprint: 'HUGEINT'
});

-- name: changes
CREATE TABLE changes AS
SELECT * FROM (
    SELECT employee_id, program_id,
        coalesce(held.points, 0) AS held_points, coalesce(held.events, 0) AS held_events,
        coalesce(held.fingerprint, 0) AS held_fingerprint,
        coalesce(due.base_points, 0) AS points, coalesce(due.base_events, 0) AS events,
        coalesce(due.base_fingerprint, 0) AS fingerprint
    FROM due FULL JOIN bases AS held USING (employee_id, program_id)
)
WHERE (held_points, held_events, held_fingerprint) <> (points, events, fingerprint);

-- name: whole
SELECT coalesce(sum(base_points), 0), coalesce(sum(base_events), 0), coalesce(sum(base_fingerprint), 0),
    (SELECT count(*) FROM due), (SELECT count(*) FROM changes)
FROM due WHERE employee_id = '';

-- name: each change
SELECT * FROM changes

-- name: tables of a comparison
CREATE TABLE legacy_events ({activity_definitions});
CREATE TABLE stored ({activity_definitions}, lane VARCHAR, side VARCHAR, ingested_at VARCHAR);

-- name: insert legacy events
INSERT INTO legacy_events
SELECT {activity_columns}
FROM read_json(?, format = 'newline_delimited', columns = {
    {activity_json}
});

-- name: insert stored
INSERT INTO stored
SELECT unnest(activity), lane, side, ingested_at
FROM read_json(?, format = 'newline_delimited', columns = {
    activity: 'STRUCT({activity_definitions})',
    lane: 'VARCHAR', side: 'VARCHAR', ingested_at: 'VARCHAR'
});

-- name: pairs
SELECT employee_id, event_id, {event_content}, {fact_content}, fact.lane, fact.side, fact.ingested_at
FROM legacy_events AS event FULL JOIN stored AS fact USING (employee_id, event_id)
WHERE ({event_content}) IS DISTINCT FROM ({fact_content})
ORDER BY employee_id, event_id

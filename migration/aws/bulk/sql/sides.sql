-- Both sides' tables as they were read, and what is asked of them. Each statement is named by the line before
-- it; `?` takes a value. A program's row has no employee: ''. fold_sql.py fills in an activity's {…}, and the folds
-- come from fold.sql:
--
--   folds          facts up to the as-of time      young_folds    facts after it
--   late_folds     facts that came when the others had been folded
--   legacy_folds   legacy's events                 missed_folds   those of them that are no facts

-- name: begun
CREATE TABLE IF NOT EXISTS begun (as_of VARCHAR, setup VARCHAR)

-- name: schema
CREATE OR REPLACE MACRO fingerprint_of(employee_id, event_id) AS
    ('0x' || substr(sha256(employee_id || chr(10) || event_id), 1, 15))::HUGEINT;
CREATE OR REPLACE MACRO reserved(id) AS starts_with(id, '#');
CREATE OR REPLACE MACRO reserved_row(employee_id, program_id) AS
    reserved(employee_id) OR (reserved(program_id) AND program_id <> '#total');
CREATE OR REPLACE TABLE positions (part VARCHAR, segment INTEGER, position BLOB);
CREATE OR REPLACE TABLE rows (
    employee_id VARCHAR, program_id VARCHAR, points HUGEINT, events HUGEINT, fingerprint HUGEINT,
    base_points HUGEINT, base_events HUGEINT, base_fingerprint HUGEINT
);
CREATE OR REPLACE TABLE legacy_rows (employee_id VARCHAR, program_id VARCHAR, points HUGEINT, events HUGEINT);
CREATE OR REPLACE TABLE legacy_events (
    {activity_definitions}, received_at VARCHAR
);
-- A late fact was found after the others had been folded, whatever its time says.
CREATE OR REPLACE TABLE facts (
    {activity_definitions}, ingested_at VARCHAR, lane VARCHAR, side VARCHAR, late BOOLEAN DEFAULT false
);
CREATE OR REPLACE VIEW client_facts AS SELECT * FROM facts WHERE NOT late AND NOT reserved(employee_id);
-- What the reverse mirror wrote does not say when it came, which was just after the fact.
CREATE OR REPLACE VIEW sightings AS
SELECT employee_id, event_id, event.program_id AS legacy_program, event.points AS legacy_points,
    coalesce(nullif(event.received_at, ''), fact.ingested_at, '') AS legacy_at,
    fact.program_id, fact.points, fact.ingested_at, fact.lane, fact.side
FROM legacy_events AS event FULL JOIN client_facts AS fact USING (employee_id, event_id)
WHERE NOT reserved(employee_id);

-- name: positions
-- The last of each segment holds; NULL is one too: the segment was read to its end.
SELECT segment, arg_max_null(position, rowid) FROM positions WHERE part = ? GROUP BY segment

-- name: insert rows
INSERT INTO rows
SELECT coalesce(employee_id, ''), program_id, coalesce(points, 0), coalesce(events, 0), coalesce(fingerprint, 0),
    coalesce(base_points, 0), coalesce(base_events, 0), coalesce(base_fingerprint, 0)
FROM read_json(?, format = 'newline_delimited', columns = {
    employee_id: 'VARCHAR', program_id: 'VARCHAR', points: 'HUGEINT', events: 'HUGEINT', fingerprint: 'HUGEINT',
    base_points: 'HUGEINT', base_events: 'HUGEINT', base_fingerprint: 'HUGEINT'
});

-- name: insert legacy's rows
INSERT INTO legacy_rows
SELECT coalesce(employee_id, ''), program_id, coalesce(points, 0), coalesce(events, 0)
FROM read_json(?, format = 'newline_delimited', columns = {
    employee_id: 'VARCHAR', program_id: 'VARCHAR', points: 'HUGEINT', events: 'HUGEINT'
});

-- name: insert legacy's events
INSERT INTO legacy_events
SELECT {activity_columns}, coalesce(received_at, '')
FROM read_json(?, format = 'newline_delimited', columns = {
    {activity_json}, received_at: 'VARCHAR'
});

-- name: insert facts
INSERT INTO facts
SELECT {activity_columns}, ingested_at, lane, side, false
FROM read_json(?, format = 'newline_delimited', columns = {
    {activity_json}, ingested_at: 'VARCHAR', lane: 'VARCHAR', side: 'VARCHAR'
});

-- name: insert late facts
INSERT INTO facts
SELECT {activity_columns}, ingested_at, lane, side, true
FROM read_json(?, format = 'newline_delimited', columns = {
    {activity_json}, ingested_at: 'VARCHAR', lane: 'VARCHAR', side: 'VARCHAR'
})
ANTI JOIN facts USING (employee_id, event_id);

-- name: settled facts
SELECT employee_id, event_id, program_id, points, lane FROM facts
WHERE NOT late AND ingested_at <= (SELECT as_of FROM begun)

-- name: young facts
SELECT employee_id, event_id, program_id, points, lane FROM facts
WHERE NOT late AND ingested_at > (SELECT as_of FROM begun)

-- name: late facts
SELECT employee_id, event_id, program_id, points, lane FROM facts WHERE late

-- name: legacy's facts
SELECT employee_id, event_id, program_id, points, 'live' AS lane FROM legacy_events

-- name: missed facts
SELECT employee_id, event_id, program_id, points, 'live' AS lane
FROM legacy_events ANTI JOIN client_facts USING (employee_id, event_id)

-- name: differing
-- A row must hold all settled facts, and all or none of the young ones. Other subsets are looked at one by one.
CREATE OR REPLACE TABLE differing AS
SELECT employee_id, program_id
FROM (
    SELECT employee_id, program_id, points - base_points AS live_points, events - base_events AS live_events,
        fingerprint - base_fingerprint AS live_fingerprint, base_points, base_events, base_fingerprint
    FROM rows WHERE employee_id <> ''
) AS held
FULL JOIN (SELECT * FROM folds WHERE employee_id <> '') AS due USING (employee_id, program_id)
FULL JOIN (SELECT * FROM young_folds WHERE employee_id <> '') AS young USING (employee_id, program_id)
WHERE (
    coalesce(held.live_points, 0) - coalesce(due.live_points, 0),
    coalesce(held.live_events, 0) - coalesce(due.live_events, 0),
    coalesce(held.live_fingerprint, 0) - coalesce(due.live_fingerprint, 0)
) NOT IN (
    (0, 0, 0),
    (coalesce(young.live_points, 0), coalesce(young.live_events, 0), coalesce(young.live_fingerprint, 0))
)
OR (
    coalesce(held.base_points, 0) - coalesce(due.base_points, 0),
    coalesce(held.base_events, 0) - coalesce(due.base_events, 0),
    coalesce(held.base_fingerprint, 0) - coalesce(due.base_fingerprint, 0)
) NOT IN (
    (0, 0, 0),
    (coalesce(young.base_points, 0), coalesce(young.base_events, 0), coalesce(young.base_fingerprint, 0))
);

-- name: legacy differing
CREATE OR REPLACE TABLE legacy_differing AS
SELECT employee_id, program_id,
    coalesce(held.points, 0) - coalesce(due.live_points, 0) AS points,
    coalesce(held.events, 0) - coalesce(due.live_events, 0) AS events
FROM (
    SELECT employee_id, program_id, sum(points) AS points, sum(events) AS events
    FROM legacy_rows WHERE employee_id <> '' GROUP BY ALL
) AS held
FULL JOIN (
    SELECT * FROM legacy_folds WHERE employee_id <> '' AND program_id <> '#total'
) AS due USING (employee_id, program_id)
WHERE coalesce(held.points, 0) <> coalesce(due.live_points, 0)
    OR coalesce(held.events, 0) <> coalesce(due.live_events, 0);

-- name: apart
-- Activities that only one side stores, or each with other content; the first ? says whether legacy was read.
CREATE OR REPLACE TABLE apart AS
SELECT employee_id, event_id
FROM legacy_events AS event FULL JOIN facts AS fact USING (employee_id, event_id)
WHERE ? AND NOT reserved(employee_id) AND (
    fact.points IS NULL
    OR (event.points IS NULL AND NOT fact.late AND fact.ingested_at <= (SELECT as_of FROM begun))
    OR (event.points IS NOT NULL AND (
        {content_differs}
    ))
);

-- name: suspects
CREATE OR REPLACE TABLE suspects AS
SELECT employee_id FROM differing
UNION SELECT employee_id FROM legacy_differing
UNION SELECT employee_id FROM apart;

-- name: first suspects
SELECT employee_id FROM suspects ORDER BY employee_id LIMIT ?

-- name: count suspects
SELECT count(*) FROM suspects

-- name: program folds
SELECT program_id, live_points, live_events, live_fingerprint, base_points, base_events, base_fingerprint
FROM folds WHERE employee_id = ''

-- name: young program folds
SELECT program_id, sum(live_points), sum(live_events), sum(live_fingerprint), sum(base_points), sum(base_events),
    sum(base_fingerprint)
FROM (FROM young_folds UNION ALL FROM late_folds) WHERE employee_id = '' GROUP BY program_id

-- name: program rows
SELECT program_id, sum(points - base_points), sum(events - base_events), sum(fingerprint - base_fingerprint),
    sum(base_points), sum(base_events), sum(base_fingerprint)
FROM rows WHERE employee_id = '' GROUP BY program_id

-- name: young facts of a program
SELECT {activity_columns}, ingested_at, lane, side FROM facts
WHERE program_id = ? AND (late OR ingested_at > (SELECT as_of FROM begun))

-- name: named facts
SELECT {activity_columns}, ingested_at, lane, side FROM facts
WHERE fingerprint_of(employee_id, event_id) IN (SELECT unnest(?))

-- name: named events
SELECT {activity_columns} FROM legacy_events
WHERE fingerprint_of(employee_id, event_id) IN (SELECT unnest(?))

-- name: legacy's programs
-- Legacy's events have no time of arrival, so the fact's is taken; an event without a fact may be new. What young
-- events can move a sum by, either way, is the sum of their sizes.
SELECT program_id, held.points, held.events, due.points, due.events, young.points, young.events, narrow.points,
    narrow.events
FROM (
    SELECT program_id, sum(points) AS points, sum(events) AS events FROM legacy_rows WHERE employee_id = ''
    GROUP BY program_id
) AS held
FULL JOIN (
    SELECT program_id, live_points AS points, live_events AS events FROM legacy_folds WHERE employee_id = ''
) AS due USING (program_id)
FULL JOIN (
    SELECT event.program_id, sum(abs(event.points)) AS points, count(*) AS events
    FROM legacy_events AS event LEFT JOIN facts AS fact USING (employee_id, event_id)
    WHERE fact.points IS NULL
        OR (fact.lane <> 'history' AND (fact.late OR fact.ingested_at > (SELECT as_of FROM begun)))
    GROUP BY event.program_id
) AS young USING (program_id)
FULL JOIN (
    SELECT program_id, sum(points) AS points, sum(events) AS events FROM legacy_differing GROUP BY program_id
) AS narrow USING (program_id)

-- name: legacy's pool
SELECT points, count(*), list(employee_id || ' ' || event_id ORDER BY employee_id, event_id)[:20]
FROM legacy_events WHERE program_id = ? GROUP BY points

-- name: sums
-- What employees' totals had to hold as of then, and held when they were read.
WITH due AS (SELECT * FROM folds WHERE program_id = '#total'),
held AS (SELECT * FROM rows WHERE program_id = '#total')
SELECT * FROM (
    SELECT 1 AS place, 'live', sum(live_points), sum(live_events), sum(live_fingerprint) FROM due WHERE NOT reserved(employee_id)
), (
    SELECT sum(points - base_points), sum(events - base_events), sum(fingerprint - base_fingerprint)
    FROM held WHERE NOT reserved(employee_id)
)
UNION ALL
SELECT * FROM (
    SELECT 2, 'history', sum(base_points), sum(base_events), sum(base_fingerprint) FROM due
    WHERE NOT reserved(employee_id)
), (
    SELECT sum(base_points), sum(base_events), sum(base_fingerprint) FROM held WHERE NOT reserved(employee_id)
)
UNION ALL
SELECT * FROM (
    SELECT 3, 'pulses', sum(live_points), sum(live_events), sum(live_fingerprint) FROM due WHERE reserved(employee_id)
), (
    SELECT sum(points), sum(events), sum(fingerprint) FROM held WHERE reserved(employee_id)
)
UNION ALL
SELECT * FROM (
    SELECT 4, 'legacy', sum(points), count(*), 0 FROM legacy_events
), (
    SELECT sum(points), sum(events), 0 FROM legacy_rows WHERE employee_id <> ''
)
ORDER BY place

-- name: keys
SELECT 1 AS place, 'employee in program', count(*) FILTER (WHERE program_id <> '#total'),
    (SELECT count(*) FROM differing WHERE program_id <> '#total')
FROM rows WHERE employee_id <> ''
UNION ALL
SELECT 2, 'employee', count(*) FILTER (WHERE program_id = '#total'),
    (SELECT count(*) FROM differing WHERE program_id = '#total')
FROM rows WHERE employee_id <> ''
UNION ALL
SELECT 3, 'legacy''s employee in program', count(*), (SELECT count(*) FROM legacy_differing)
FROM legacy_rows WHERE employee_id <> ''
UNION ALL
SELECT 4, 'activity on both sides', count(*), (SELECT count(*) FROM apart) FROM legacy_events
ORDER BY place

-- name: line up
-- Every aggregate of both sides beside the folds of the events. Legacy keeps no total of an employee.
-- l: legacy's rows, le: legacy's events, m: those that are no facts, f: facts, t: truth, p: the pipeline's rows.
CREATE OR REPLACE TABLE sums AS
WITH places AS (
    SELECT 'l' AS place, employee_id, program_id, points, events, 0 AS fingerprint FROM legacy_rows
    UNION ALL
    SELECT 'l', employee_id, '#total', points, events, 0 FROM legacy_rows WHERE employee_id <> ''
    UNION ALL
    SELECT 'le', employee_id, program_id, live_points, live_events, live_fingerprint FROM legacy_folds
    UNION ALL
    SELECT 'm', employee_id, program_id, live_points, live_events, live_fingerprint FROM missed_folds
    UNION ALL
    SELECT 'f', employee_id, program_id, live_points + base_points, live_events + base_events,
        live_fingerprint + base_fingerprint
    FROM (FROM folds UNION ALL FROM young_folds)
    UNION ALL
    SELECT 'p', employee_id, program_id, points, events, fingerprint FROM rows
), beside AS (
    SELECT employee_id, program_id,
        coalesce(sum(points) FILTER (place = 'l'), 0) AS l_points,
        coalesce(sum(events) FILTER (place = 'l'), 0) AS l_events,
        coalesce(sum(points) FILTER (place = 'le'), 0) AS le_points,
        coalesce(sum(events) FILTER (place = 'le'), 0) AS le_events,
        coalesce(sum(fingerprint) FILTER (place = 'le'), 0) AS le_print,
        coalesce(sum(points) FILTER (place IN ('f', 'm')), 0) AS t_points,
        coalesce(sum(events) FILTER (place IN ('f', 'm')), 0) AS t_events,
        coalesce(sum(fingerprint) FILTER (place IN ('f', 'm')), 0) AS t_print,
        coalesce(sum(points) FILTER (place = 'f'), 0) AS f_points,
        coalesce(sum(events) FILTER (place = 'f'), 0) AS f_events,
        coalesce(sum(fingerprint) FILTER (place = 'f'), 0) AS f_print,
        coalesce(sum(points) FILTER (place = 'p'), 0) AS p_points,
        coalesce(sum(events) FILTER (place = 'p'), 0) AS p_events,
        coalesce(sum(fingerprint) FILTER (place = 'p'), 0) AS p_print
    FROM places WHERE NOT reserved_row(employee_id, program_id) GROUP BY employee_id, program_id
)
SELECT *, NOT (
    l_points = le_points AND l_events = le_events
    AND le_points = t_points AND le_events = t_events AND le_print = t_print
    AND t_points = f_points AND t_events = f_events AND t_print = f_print
    AND f_points = p_points AND f_events = p_events AND f_print = p_print
) AS differs
FROM beside;

-- name: read
SELECT (SELECT count(*) FROM legacy_rows WHERE NOT reserved_row(employee_id, program_id)),
    (SELECT count(*) FROM rows WHERE NOT reserved_row(employee_id, program_id)),
    (SELECT count(*) FROM legacy_events WHERE NOT reserved(employee_id)),
    (SELECT count(*) FROM client_facts)

-- name: levels
SELECT CASE WHEN employee_id = '' THEN 'program' WHEN program_id = '#total' THEN 'employee'
    ELSE 'employee in program' END AS level, count(*), count(*) FILTER (differs)
FROM sums GROUP BY level

-- name: differing employees
FROM sums WHERE employee_id <> '' AND differs ORDER BY employee_id, program_id = '#total'

-- name: sightings of differing employees
FROM sightings WHERE employee_id IN (SELECT employee_id FROM sums WHERE employee_id <> '' AND differs)
ORDER BY employee_id, event_id

-- name: these employees
FROM sums WHERE employee_id <> '' AND employee_id IN (SELECT unnest(?))
ORDER BY employee_id, program_id = '#total'

-- name: sightings of these employees
FROM sightings WHERE employee_id IN (SELECT unnest(?)) ORDER BY employee_id, event_id

-- name: differing programs
FROM sums WHERE employee_id = '' AND differs ORDER BY program_id

-- name: count facts of a program
SELECT count(*) FROM client_facts WHERE program_id = ?

-- name: sightings of a program
FROM sightings WHERE ? IN (legacy_program, program_id)

-- name: young events of a program
SELECT employee_id || ' ' || event_id, legacy_points FROM sightings
WHERE legacy_program = ? AND legacy_at > ? ORDER BY legacy_at

-- name: true places
SELECT place, employee_id, t_points
FROM (
    SELECT employee_id, t_points, rank() OVER (ORDER BY t_points DESC) AS place FROM sums
    WHERE employee_id <> '' AND program_id = ? AND t_events > 0
)
WHERE place <= ? OR employee_id IN (SELECT unnest(?))

-- name: populations
SELECT count(*) FILTER (l_events > 0), count(*) FILTER (p_events > 0) FROM sums
WHERE employee_id <> '' AND program_id = ?

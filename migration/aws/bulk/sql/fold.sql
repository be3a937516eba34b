-- The fold: from facts to every aggregate that must hold them. Runs as it is in DuckDB and in Athena (Trino).
--
-- reads   facts_to_fold   employee_id, event_id, program_id, points, lane
-- gives   employee_id     '' for a program's row
--         program_id      '#total' for an employee's total
--         live_* and base_*: points, events, fingerprint of the facts of each lane
--
-- Sums have 38 digits: in Trino a sum of whole numbers has 64 bits, and an overflow ends the query.
-- The fingerprint is docs/contracts.md's: 15 hexadecimal digits of SHA-256 of both ids with a line break between.
-- DuckDB gets Trino's functions to_utf8, to_hex and from_base as macros (aws/bulk/fold_sql.py).
SELECT
    CASE WHEN grouping(employee_id) = 1 THEN '' ELSE employee_id END AS employee_id,
    CASE WHEN grouping(program_id) = 1 THEN '#total' ELSE program_id END AS program_id,
    sum(CASE WHEN lane = 'history' THEN CAST(0 AS DECIMAL(38, 0)) ELSE points END) AS live_points,
    sum(CASE WHEN lane = 'history' THEN 0 ELSE 1 END) AS live_events,
    sum(CASE WHEN lane = 'history' THEN CAST(0 AS DECIMAL(38, 0)) ELSE fingerprint END) AS live_fingerprint,
    sum(CASE WHEN lane = 'history' THEN points ELSE CAST(0 AS DECIMAL(38, 0)) END) AS base_points,
    sum(CASE WHEN lane = 'history' THEN 1 ELSE 0 END) AS base_events,
    sum(CASE WHEN lane = 'history' THEN fingerprint ELSE CAST(0 AS DECIMAL(38, 0)) END) AS base_fingerprint
FROM (
    SELECT
        employee_id,
        program_id,
        lane,
        CAST(points AS DECIMAL(38, 0)) AS points,
        CAST(
            from_base(
                substr(lower(to_hex(sha256(to_utf8(employee_id || chr(10) || event_id)))), 1, 15), 16
            ) AS DECIMAL(38, 0)
        ) AS fingerprint
    FROM facts_to_fold
) AS hashed
GROUP BY GROUPING SETS ((employee_id, program_id), (employee_id), (program_id))

"""The SQL of the join: its tables, the fold of the events, and the questions that are asked of it."""

from __future__ import annotations

from typing import Final

from migration.compare.reasons import NAMED_AT_MOST
from migration.model.fold import TOTAL

PROGRAM, IN_PROGRAM, EMPLOYEE = 0, 1, 2  # levels: a program's row, an employee's in a program, an employee's

ROW: Final = {
    "level": "TINYINT",
    "employee": "VARCHAR",
    "program": "VARCHAR",
    "points": "HUGEINT",
    "events": "HUGEINT",
    "print": "HUGEINT",
}
EVENT: Final = {
    "employee": "VARCHAR",
    "event": "VARCHAR",
    "program": "VARCHAR",
    "points": "BIGINT",
    "came_at": "VARCHAR",
    "lane": "VARCHAR",
    "side": "VARCHAR",
    "print": "HUGEINT",
}


def _fold(name: str, condition: str) -> str:
    return ", ".join(
        f"{what} FILTER (WHERE {condition}) AS {name}_{column}"
        for what, column in (("sum(points)", "points"), ("count(*)", "events"), ("sum(print)", "print"))
    )


def _present(name: str, source: str) -> str:
    return ", ".join(f"coalesce({source}{c}, 0) AS {name}_{c}" for c in ("points", "events", "print"))


# What the reverse mirror wrote does not say when it came, which was just after the fact. Legacy keeps no
# total of an employee, so its programs are summed; the pipeline's shards are summed as well.
# le: legacy's events, f: facts, t: truth.
JOIN: Final = f"""
UPDATE legacy_event AS l SET came_at = fact.came_at FROM fact
WHERE l.came_at = '' AND (l.employee, l.event) = (fact.employee, fact.event);

INSERT INTO legacy_row SELECT {EMPLOYEE}, employee, '{TOTAL}', sum(points), sum(events), 0
FROM legacy_row WHERE level = {IN_PROGRAM} GROUP BY employee;

CREATE TABLE expected AS
SELECT
  CASE WHEN GROUPING(employee) = 1 THEN {PROGRAM}
       WHEN GROUPING(program) = 1 THEN {EMPLOYEE}
       ELSE {IN_PROGRAM} END AS level,
  coalesce(employee, '') AS employee,
  coalesce(program, '{TOTAL}') AS program,
  {_fold("le", "place = 'legacy'")},
  {_fold("f", "place = 'fact'")},
  {_fold("t", "place <> 'legacy'")}
FROM (
  SELECT 'legacy' AS place, employee, program, points, print FROM legacy_event
  UNION ALL SELECT 'fact', employee, program, points, print FROM fact
  UNION ALL SELECT 'no fact yet', employee, program, points, print
    FROM legacy_event ANTI JOIN fact USING (employee, event)
)
GROUP BY GROUPING SETS ((employee, program), (employee), (program));

CREATE TABLE sums AS
SELECT *, NOT (
  l_points = le_points AND l_events = le_events
  AND le_points = t_points AND le_events = t_events AND le_print = t_print
  AND t_points = f_points AND t_events = f_events AND t_print = f_print
  AND f_points = p_points AND f_events = p_events AND f_print = p_print
) AS differs
FROM (
  SELECT level, employee, program,
    {_present("l", "l.")}, {_present("le", "le_")}, {_present("t", "t_")}, {_present("f", "f_")},
    {_present("p", "p.")}
  FROM expected
  FULL JOIN legacy_row AS l USING (level, employee, program)
  FULL JOIN (
    SELECT level, employee, program, sum(points) AS points, sum(events) AS events, sum(print) AS print
    FROM pipeline_row GROUP BY ALL
  ) AS p USING (level, employee, program)
)
"""  # noqa: S608 - made of the constants above

LEVELS: Final = "SELECT level, count(*), count(*) FILTER (WHERE differs) FROM sums GROUP BY level"

SUMS: Final = (
    "SELECT level, employee, program, l_points, l_events, le_points, le_events, le_print, "
    "t_points, t_events, t_print, f_points, f_events, f_print, p_points, p_events, p_print FROM sums WHERE "
)
DIFFERING_EMPLOYEES: Final = f"differs AND level <> {PROGRAM}"
THESE_EMPLOYEES: Final = f"employee IN (SELECT unnest(?)) AND level <> {PROGRAM}"
DIFFERING_PROGRAMS: Final = f"{SUMS} differs AND level = {PROGRAM} ORDER BY program"

SIGHTINGS: Final = (
    "SELECT employee, event, l.program, l.points, l.came_at, f.program, f.points, f.came_at, f.lane, f.side "
    "FROM legacy_event AS l FULL JOIN fact AS f USING (employee, event) WHERE "
)
OF_DIFFERING_EMPLOYEES: Final = f"employee IN (SELECT employee FROM sums WHERE {DIFFERING_EMPLOYEES})"  # noqa: S608 - as above
OF_THESE_EMPLOYEES: Final = "employee IN (SELECT unnest(?))"
OF_PROGRAM: Final = f"{SIGHTINGS} ? IN (l.program, f.program)"

FACTS_OF_PROGRAM: Final = "SELECT count(*) FROM fact WHERE program = ?"
YOUNG_OF_PROGRAM: Final = (
    "SELECT employee || ' ' || event, points FROM legacy_event WHERE program = ? AND came_at > ? "
    "ORDER BY came_at"
)
POOL_OF_PROGRAM: Final = (
    "SELECT points, count(*), list(employee || ' ' || event ORDER BY employee, event)"  # noqa: S608 - as above
    f"[:{NAMED_AT_MOST}] FROM legacy_event WHERE program = ? GROUP BY points"
)

TRUE_PLACES: Final = (
    "WITH ranked AS (SELECT employee, t_points, rank() OVER (ORDER BY t_points DESC) AS place FROM sums "
    "WHERE level = ? AND program = ? AND t_events > 0) "
    "SELECT place, employee, t_points FROM ranked WHERE place <= ? OR employee IN (SELECT unnest(?))"
)
POPULATIONS: Final = (
    "SELECT count(*) FILTER (WHERE l_events > 0), count(*) FILTER (WHERE p_events > 0) FROM sums "
    "WHERE level = ? AND program = ?"
)

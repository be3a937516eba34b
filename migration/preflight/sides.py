"""Legacy as the plan describes it, and the front door between the sides."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from migration.cutover.moves import control_words
from migration.model.errors import UsageError
from migration.model.legacy.layout import read_layout
from migration.model.stages import Control, Stage
from migration.model.transitions import ORDER
from migration.preflight.check import DEPLOY, broken, checked, held, judged, known, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.preflight.check import CheckResult
    from migration.preflight.deployed import Deployed, Function, LegacyTable

SHOWN: Final = 3


def check_sides(deployed: Deployed) -> Iterator[CheckResult]:
    """Check the plan, legacy's tables, how they are written to, and the door."""
    yield checked("control_table", partial(_control, deployed))
    yield checked("plan", partial(_plan, deployed))
    yield checked("legacy_mapping", partial(_mapping, (deployed.events,)))
    yield checked("legacy_rows", partial(_mapping, deployed.rows))
    yield checked("legacy_kept", partial(_legacy_kept, deployed))
    yield checked("legacy_written", partial(_shape, deployed))
    yield checked("door", partial(_door, deployed))
    yield checked("baked_control", partial(_baked, deployed))
    yield checked("authority", partial(_direct, deployed))


def _control(deployed: Deployed, name: str) -> CheckResult:
    table, state = known(deployed.control).name, known(deployed.state)
    return held(name, f"{table} has migration {deployed.plan.migration} at {control_words(state.control)}")


def _plan(deployed: Deployed, name: str) -> CheckResult:
    plan, moved_by = deployed.plan, known(deployed.state).plan
    if plan.stack != deployed.stack:
        why = f"the plan is for stack {plan.stack}, and this is {deployed.stack}"
        return broken(name, why, "name the right plan file with --plan, or correct its `stack`")
    if moved_by and moved_by != plan.hash:
        why = f"the plan is {plan.hash}, and the migration was last moved by {moved_by}"
        return broken(name, why, "see what changed in the plan file; a move takes the plan up", dry=True)
    return held(name, f"the plan {plan.hash} is for this stack, {deployed.stack}")


def _mapping(tables: tuple[LegacyTable, ...], name: str) -> CheckResult:
    samples = [known(one.sample) for one in tables]
    misfits = [misfit for one in samples for misfit in one.misfits]
    counts = ", ".join(f"{one.read - len(one.misfits)} of {one.read} items of {one.table}" for one in samples)
    if misfits:
        why = f"the plan fits {counts}: {'; '.join(misfits[:SHOWN])}"
        return broken(name, why, "correct the attributes in the plan file: cutover plan check")
    if not any(one.read for one in samples):
        why = f"{', '.join(one.table for one in samples)} is empty"
        return undecided(name, why, "run this again when legacy has items")
    return held(name, f"the plan fits {counts}")


def _legacy_kept(deployed: Deployed, name: str) -> CheckResult:
    tables = (known(one.described) for one in (deployed.events, *deployed.rows))
    (events, events_by), *rows = [(table.name, known(table.expires_by)) for table in tables]
    going = [f"{row} goes by {by}" for row, by in rows if by]
    if going:
        why = f"{'; '.join(going)}, so legacy's totals are not the sum of its events"
        return broken(name, why, "switch that off with aws dynamodb update-time-to-live")
    if events_by:
        why = f"{events} goes by {events_by}: an event that goes before it is copied is lost to the pipeline"
        remedy = "tell the backfill how long there is: cutover backfill start --finish-within HOURS"
        return undecided(name, why, remedy)
    return held(name, "nothing of legacy's expires")


def _shape(deployed: Deployed, name: str) -> CheckResult:
    if isinstance(deployed.plan.layout, str):
        remedy = "without a reverse mirror legacy cannot take over again; see docs/contracts.md"
        return broken(name, deployed.plan.layout, remedy)
    function = known(next(leg.function for leg in deployed.legs if leg.name == "mirror"))
    problems = [
        f"{function.name} writes {key} {function.environment.get(key)}, and the plan reads {table}"
        for key, table in deployed.plan.tables.items()
        if function.environment.get(key) != table
    ]
    try:
        written = read_layout(function.environment.get("LEGACY_SHAPE", "")).written()
    except (ValueError, UsageError) as error:
        problems.append(f"LEGACY_SHAPE of {function.name} is no layout ({error})")
    else:
        if written != deployed.plan.layout:
            problems.append(f"{function.name} writes {written}, and the plan reads {deployed.plan.layout}")
    good = f"{function.name} writes legacy's tables as the plan reads them"
    return judged(name, problems, good, f"set legacy_shape as in the plan file; {DEPLOY}")


def _door(deployed: Deployed, name: str) -> CheckResult:
    table = known(deployed.control).name
    problems = []
    for door in deployed.doors:
        function = known(door.function)
        seen = function.environment
        if function.handler != door.handler:
            problems.append(f"{function.name} runs {function.handler}, not the door {door.handler}")
            continue
        if seen.get("PINNED_SIDE") != door.pinned:
            sides = [
                f"pinned to {side}" if side else "not pinned"
                for side in (seen.get("PINNED_SIDE"), door.pinned)
            ]
            problems.append(f"{function.name} is {sides[0]}, and must be {sides[1]}")
        for key, due in (("CONTROL_TABLE", table), ("MIGRATION", deployed.plan.migration)):
            if seen.get(key) != due:
                problems.append(f"{function.name} goes by {key} {seen.get(key)}, and this one by {due}")
    good = f"all {len(deployed.doors)} doors go by migration {deployed.plan.migration} of {table}"
    pinned = any(door.pinned for door in deployed.doors)
    remedy = "publish such versions (docs/traffic-switches.md)" if pinned else f"{DEPLOY}, in phase expand"
    return judged(name, problems, good, remedy)


def _baked(deployed: Deployed, name: str) -> CheckResult:
    state, ahead, behind = known(deployed.state).control, [], []
    for function in [known(one.function) for one in deployed.doors]:
        baked = _read_baked(function)
        if isinstance(baked, str):
            return broken(name, baked, f"correct baked_control; {DEPLOY}")
        if _gives(baked) > _gives(state):
            ahead.append(f"{function.name} begins at {control_words(baked)}")
        elif _gives(baked) < _gives(state):
            behind.append(f"{function.name} begins at {control_words(baked)}")
    now = f"the migration is at {control_words(state)}"
    unseen = "a cold door that cannot read the control table"
    if ahead:
        why = f"{'; '.join(ahead)} and {now}: {unseen} gives the pipeline more than it may have"
        return broken(name, why, f"lower baked_control; {DEPLOY}")
    if behind:
        why = f"{'; '.join(behind)} and {now}: {unseen} gives the pipeline less; `cutover reconcile` finds it"
        # After complete nobody reconciles any more.
        return broken(name, why, f"raise baked_control; {DEPLOY}", dry=state.stage is not Stage.COMPLETE)
    return held(name, f"a cold door begins where {now.removeprefix('the migration is at ')} is")


def _gives(control: Control) -> tuple[int, int, int]:
    return (ORDER.index(control.stage), control.write_weight, control.read_weight)


def _read_baked(function: Function) -> Control | str:
    text = function.environment.get("BAKED_CONTROL", "")
    try:
        fields: Mapping[str, object] = json.loads(text)
        return Control(
            Stage(str(fields["stage"])), *(_weight(fields, key) for key in ("write_weight", "read_weight"))
        )
    except (KeyError, TypeError, ValueError) as error:
        return f"BAKED_CONTROL of {function.name} is {text!r}, no control value ({error})"


def _weight(fields: Mapping[str, object], key: str) -> int:
    value = fields.get(key, 0)
    if not isinstance(value, int):
        raise TypeError(f"{key} is no whole number")
    return value


def _direct(deployed: Deployed, name: str) -> CheckResult:
    state, (direct, seen) = known(deployed.state), known(deployed.direct)
    if state.epoch or not direct:
        return held(name, f"{direct} of {seen} facts that were looked at came by the pipeline's own ingest")
    why = (
        f"legacy has had authority all along, and {direct} of {seen} facts that were looked at came by the"
        " pipeline's own ingest, past the door; the reverse mirror takes them to legacy"
    )
    return broken(name, why, "let clients send to the entry's address only", dry=True)

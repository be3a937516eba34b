"""Each check of preflight: a fit stack passes it, one broken thing is named by it, and says what to do."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.model.guardrails import Outcome, worst
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State
from migration.preflight.check import known
from migration.preflight.checks import preflight
from migration.preflight.deployed import Grant, Missing, Skew, TableSample, Unread
from tests.preflight_world import IMAGES, door, fit, leg, pattern, table, with_leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.preflight.deployed import Deployed, Door, Function

    Change = Callable[[Deployed], Deployed]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text(encoding="utf-8")
LIVE = pattern(lane=["live"])


def on(name: str, **changes: Any) -> Change:
    return lambda stack: with_leg(stack, name, **changes)


def let(**changes: Any) -> Change:
    return lambda stack: replace(stack, **changes)


def facts(**changes: Any) -> Change:
    return let(facts=replace(table("facts", stream=True), **changes))


def mapping(**changes: Any) -> Change:
    def change(stack: Deployed) -> Deployed:
        [one] = known(stack.legs[0].mappings)
        return with_leg(stack, "capture", mappings=(replace(one, **changes),))

    return change


def environment(name: str, **changes: str) -> Change:
    def change(stack: Deployed) -> Deployed:
        function = next(known(one.function) for one in stack.legs if one.name == name)
        return with_leg(stack, name, function__environment={**function.environment, **changes})

    return change


def doors(**changes: str) -> Change:
    ingest = door("ingest")
    return let(doors=(with_environment(ingest, **changes), door("serve")))


def with_environment(one: Door, **changes: str) -> Door:
    function = known(one.function)
    return replace(one, function=replace(function, environment={**function.environment, **changes}))


def versions(*, pinned: tuple[str, ...]) -> Change:
    """Both aliases' versions, legacy's before the pipeline's, and how they are pinned."""
    due = [
        replace(door(name), pinned=side) for name in ("ingest", "serve") for side in ("legacy", "pipeline")
    ]
    are = [with_environment(one, PINNED_SIDE=side) for one, side in zip(due, pinned, strict=True)]
    return let(doors=tuple(are))


def legacy(sample: Any = None, **described: Any) -> Change:
    events = fit().events
    there = replace(table("events"), **described)
    return let(events=replace(events, described=there, sample=sample or events.sample))


def at(stage: Stage, write: int = 0, read: int = 0, plan: str = "") -> State:
    return State(Control(stage, write, read, 3), plan=plan)


DENIED = Grant("dynamodb:Scan", "facts", allowed=False, how="simulated")
UNTOLD = Grant("dynamodb:Scan", "facts", allowed=None, how="throttled")
EXPIRING = replace(fit().rows[0], described=replace(table("rows"), expires_by="gone_at"))
BROKEN: list[tuple[str, Change, str]] = [
    ("permissions", let(grants=(DENIED,)), "Scan on facts"),
    ("clock", let(skew=Skew(-9.0, 0.5)), "9.0 s behind"),
    ("control_table", let(control=Missing("table control")), "table control is not there"),
    ("plan", let(stack="staging"), "is for stack prod, and this is staging"),
    (
        "legacy_mapping",
        legacy(TableSample("events", 100, ("points is missing",))),
        "99 of 100 items of events",
    ),
    ("legacy_written", environment("mirror", EVENTS_TABLE="other"), "writes EVENTS_TABLE other"),
    ("legacy_written", environment("mirror", LEGACY_SHAPE='{"event":{"points":"score"}}'), "score"),
    ("legacy_written", environment("mirror", LEGACY_SHAPE="points"), "is no layout"),
    ("legacy_written", lambda s: replace(s, plan=replace(s.plan, layout="read only")), "read only"),
    ("door", doors(MIGRATION="another"), "MIGRATION another"),
    ("door", doors(CONTROL_TABLE="another"), "CONTROL_TABLE another"),
    (
        "door",
        let(doors=(replace(door("ingest"), handler="the.door"), door("serve"))),
        "not the door the.door",
    ),
    ("door", doors(PINNED_SIDE="legacy"), "ingest is pinned to legacy, and must be not pinned"),
    (
        "door",
        versions(pinned=("legacy", "legacy", "legacy", "pipeline")),
        "pinned to legacy, and must be pinned to",
    ),
    ("baked_control", doors(BAKED_CONTROL='{"stage":"shadow"}'), "more than it may have"),
    ("baked_control", doors(BAKED_CONTROL='{"stage":"on"}'), "no control value"),
    ("baked_control", let(state=at(Stage.COMPLETE)), "gives the pipeline less"),
    ("fact_stream", facts(stream_arn=None), "has no stream"),
    ("fact_stream", facts(stream_view="KEYS_ONLY"), "KEYS_ONLY"),
    ("capture_pipe_bound", on("capture", pipe__source="the stream before"), "reads the stream before"),
    ("mirror_pipe_bound", on("mirror", pipe__target="elsewhere"), "sends to elsewhere"),
    ("capture_pipe_running", on("capture", pipe__state="STOPPED", pipe__why="by hand"), "STOPPED: by hand"),
    ("capture_pipe_filter", on("capture", pipe__patterns=(pattern(lane=["live", "history"]),)), "history"),
    ("capture_pipe_filter", on("capture", pipe__patterns=(LIVE, pattern(lane=["history"]))), "2 filters"),
    ("capture_pipe_filter", on("capture", pipe__patterns=("{",)), "no JSON"),
    ("mirror_pipe_filter", on("mirror", pipe__patterns=(pattern(side=["pipeline"]),)), "#pulse"),
    ("mirror_pipe_filter", on("mirror", pipe__patterns=(pattern(**IMAGES["mirror"]),)), "MODIFY"),
    (
        "capture_pipe_filter",
        on("capture", pipe__patterns=(pattern(["INSERT", "MODIFY"], lane=["live"]),)),
        "MODIFY",
    ),
    ("mirror_pipe_filter", on("mirror", pipe__template='{"event_id": 1}'), "lacks activity_type"),
    ("capture_pipe_start", on("capture", pipe__start="LATEST"), "misses what is inserted"),
    ("stream_readers", let(readers=("pipe a", "pipe b", "function c")), "3 read each shard"),
    ("capture_visibility", on("capture", queue__visibility_s=360), "+ window 1 s = 361 s"),
    ("mirror_receives", on("mirror", queue__receives=4), "after 4 receives"),
    ("mirror_receives", on("mirror", queue__receives=None), "no redrive policy"),
    ("capture_dead_letters", on("capture", queue__dead_letters=None), "to nowhere"),
    ("capture_mapping", mapping(reports_failures=False), "ReportBatchItemFailures"),
    ("capture_mapping", mapping(state="Disabled"), "the mapping is Disabled"),
    ("capture_mapping", mapping(source="another"), "by 0 mappings"),
    ("capture_mapping", mapping(window_s=0), "window of 1 s"),
    ("capture_concurrency", mapping(at_once=None), "no maximum concurrency"),
    ("capture_concurrency", on("capture", function__reserved=4), "4 reserved and is fed 5"),
    ("capture_stream_horizon", on("capture", pipe__record_age_s=-1), "gives a record up never"),
    ("mirror_stream_horizon", on("mirror", pipe__record_age_s=25 * 3600), "25 h"),
    ("mirror_stream_horizon", on("mirror", pipe__dead_letters="elsewhere"), "elsewhere"),
    ("capture_stream_horizon", on("capture", pipe_dead_letters=Missing("its queue")), "queue is not there"),
    ("capture_retention", on("capture", queue__retention_s=15 * 86_400), "the queue keeps 15 d"),
    ("dedup_ttl", environment("capture", DEDUP_TTL_DAYS="33"), "= 33 d, so a redriven message"),
    ("dedup_expiry", let(dedup=table("dedup")), "never go"),
    ("dedup_expiry", let(dedup=replace(table("dedup"), expires_by="at")), "go by at, not expires_at"),
    ("facts_kept", facts(expires_by="at"), "facts goes by at"),
    ("restorable", facts(restorable=False), "facts cannot be restored"),
    ("legacy_kept", let(rows=(EXPIRING,)), "legacy's totals are not the sum"),
]
WARNED: list[tuple[str, Change, str]] = [
    ("plan", let(state=State(plan="before")), "last moved by before"),
    ("baked_control", let(state=at(Stage.LIVE, 100, FULL_WEIGHT)), "gives the pipeline less"),
    ("fold_horizon", environment("capture", FOLD_HORIZON_DAYS="14"), "parked instead of folded"),
    ("authority", let(direct=(3, 40)), "3 of 40 facts"),
]
OPEN: list[tuple[str, Change, Outcome, str]] = [
    ("clock", let(skew=Skew(4.0, 3.0)), Outcome.INCONCLUSIVE, "give or take 3.0 s"),
    ("clock", let(skew=Unread("no time", answered=False)), Outcome.INCONCLUSIVE, "no time"),
    (
        "permissions",
        let(grants=(Grant("a:B", "c", allowed=None, how="throttled"),)),
        Outcome.INCONCLUSIVE,
        "0 of 1",
    ),
    ("legacy_mapping", legacy(TableSample("events", 0)), Outcome.INCONCLUSIVE, "is empty"),
    ("legacy_kept", legacy(expires_by="gone_at"), Outcome.INCONCLUSIVE, "goes by gone_at"),
    ("stream_readers", let(readers=Unread("AccessDenied")), Outcome.ERROR, "AccessDenied"),
    ("dedup_expiry", let(dedup=replace(table("dedup"), expires_by=Unread("no"))), Outcome.ERROR, "no"),
]


def findings(stack: Deployed) -> dict[str, Any]:
    return {one.verdict.name: one for one in preflight(stack)}


def test_a_fit_stack_passes_every_check_and_shows_its_arithmetic() -> None:
    checks = preflight(fit())
    assert [
        (one.verdict.name, one.verdict.why) for one in checks if one.verdict.outcome is not Outcome.PASS
    ] == []
    assert all(one.verdict.why and not one.remedy and one.verdict.observed_at == 1_000 for one in checks)
    assert len({one.verdict.name for one in checks}) == len(checks)
    why = findings(fit())["dedup_ttl"].verdict.why
    assert why == "a dedup entry is kept 40 d; horizon 15 d + queue 4 d + dead letters 14 d = 33 d"


@pytest.mark.parametrize(("name", "change", "says"), BROKEN, ids=[f"{one[0]}: {one[2]}" for one in BROKEN])
def test_what_is_broken_fails_its_check_and_says_how_to_mend_it(name: str, change: Change, says: str) -> None:
    found = findings(change(fit()))[name]
    assert (found.verdict.outcome, found.verdict.counted) == (Outcome.FAIL, Outcome.FAIL)
    assert says in found.verdict.why
    assert found.remedy


@pytest.mark.parametrize(("name", "change", "says"), WARNED, ids=[one[0] for one in WARNED])
def test_what_is_only_worth_knowing_is_a_warning(name: str, change: Change, says: str) -> None:
    checks = findings(change(fit()))
    assert (checks[name].verdict.outcome, checks[name].verdict.counted) == (Outcome.FAIL, Outcome.PASS)
    assert says in checks[name].verdict.why
    assert worst(one.verdict for one in checks.values()) is Outcome.PASS


@pytest.mark.parametrize(("name", "change", "outcome", "says"), OPEN, ids=[one[3] for one in OPEN])
def test_what_cannot_be_known_is_no_pass_and_no_failure(
    name: str, change: Change, outcome: Outcome, says: str
) -> None:
    found = findings(change(fit()))[name]
    assert found.verdict.outcome is outcome
    assert says in found.verdict.why


def test_one_broken_thing_is_named_by_its_own_check_only() -> None:
    alone = {"clock", "plan", "capture_pipe_running", "mirror_receives", "dedup_expiry", "stream_readers"}
    for name, change, _ in BROKEN:
        failed = [key for key, one in findings(change(fit())).items() if one.verdict.outcome is Outcome.FAIL]
        assert name in failed
        if name in alone:
            assert failed == [name]


def test_restoring_is_demanded_where_people_depend_on_it() -> None:
    lacking = replace(facts(restorable=False)(fit()), stack="dev")
    assert findings(lacking)["restorable"].verdict.counted is Outcome.PASS


def test_every_check_is_documented() -> None:
    for name in findings(fit()):
        short = name.removeprefix("capture_").removeprefix("mirror_")
        assert f"`{name}`" in DOCUMENT or f"`…_{short}`" in DOCUMENT, name


def test_every_check_is_broken_by_some_test() -> None:
    kinds = {name.removeprefix("capture_").removeprefix("mirror_") for name in findings(fit())}
    broken = [*(one[0] for one in BROKEN), *(one[0] for one in WARNED), *(one[0] for one in OPEN)]
    tested = {name.removeprefix("capture_").removeprefix("mirror_") for name in broken}
    assert kinds - tested - {"legacy_rows"} == set()


@pytest.mark.parametrize("answer", [Missing("it"), Unread("refused"), Unread("unknown here", answered=False)])
def test_whatever_is_not_known_breaks_no_check_and_passes_none_that_needs_it(
    answer: Missing | Unread,
) -> None:
    """Each part of the description in turn, and all at once."""
    parts = ("skew", "control", "state", "facts", "dedup", "readers", "direct")
    unknown = [let(**{part: answer})(fit()) for part in parts]
    unknown += [
        with_leg(fit(), name, **{part.name: answer})
        for name in ("capture", "mirror")
        for part in fields(leg("capture"))[1:]
    ]
    everything = let(**dict.fromkeys(parts, answer))(fit())
    for stack in (*unknown, everything):
        outcomes = {one.verdict.outcome for one in preflight(stack)}
        due = Outcome.FAIL if isinstance(answer, Missing) else Outcome.ERROR if answer.answered else None
        assert (due or Outcome.INCONCLUSIVE) in outcomes


def test_an_unknown_thing_is_never_taken_for_known() -> None:
    broken: Any = Missing("function x")
    with pytest.raises(TypeError):
        _handler(broken)


def _handler(function: Function | Missing) -> str:
    return known(function).handler

"""When a breach rolls back: enough looks in a row, long enough, where clients depend on the pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.cutover.watching import WATCHED, Alarm, GoOn, KeepWatching, RollBack, Watch, WatchLimits
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.stages import FULL_WEIGHT, Control, Stage
from migration.model.state import State

LIVE = State(Control(Stage.LIVE, 100, FULL_WEIGHT, 5))
LETTERS = {"p": Outcome.PASS, "i": Outcome.INCONCLUSIVE, "e": Outcome.ERROR, "f": Outcome.FAIL}


def look(number: int, outcome: Outcome, *, name: str = "queue_lag", dry: bool = False) -> GuardrailVerdict:
    return GuardrailVerdict(name, outcome, "oldest 400 s, at most 60 s", 1_000.0 + 2 * number, dry)


def watched(
    looks: str, state: State = LIVE, limits: WatchLimits | None = None, lasting_s: float = 0
) -> object:
    watch = Watch(limits or WatchLimits())
    decision: object = None
    for number, letter in enumerate(looks):
        decision = watch.after(state, [look(number, LETTERS[letter])], lasting_s)
    return decision


@pytest.mark.parametrize(
    ("looks", "kind"),
    [
        ("p", GoOn),
        ("i", GoOn),
        ("e", GoOn),
        ("f", KeepWatching),
        ("ff", KeepWatching),
        ("fff", RollBack),
        ("fpff", KeepWatching),
        ("fiff", KeepWatching),
        ("fefef", RollBack),
        ("eee", GoOn),
        ("fffp", GoOn),
    ],
)
def test_three_failed_looks_in_a_row_roll_back(looks: str, kind: type) -> None:
    assert isinstance(watched(looks), kind)


def test_it_says_what_it_counted() -> None:
    assert watched("f") == KeepWatching(
        "queue_lag failed in 1 look: oldest 400 s, at most 60 s; it rolls back after 3 looks"
    )
    assert watched("fff") == RollBack(
        Control(Stage.SHADOW), "queue_lag failed in 3 looks in 4 s: oldest 400 s, at most 60 s"
    )
    assert watched("pff", lasting_s=20) == KeepWatching(
        "queue_lag failed in 2 looks in 2 s: oldest 400 s, at most 60 s; "
        "it rolls back after 3 looks in 20 s or more"
    )


def test_where_somebody_else_acts_first_a_breach_must_last() -> None:
    assert isinstance(watched("f" * 10, lasting_s=20), KeepWatching)
    assert isinstance(watched("f" * 11, lasting_s=20), RollBack)
    assert isinstance(watched("f" * 3, limits=WatchLimits(3, lasting_s=5)), KeepWatching)


@pytest.mark.parametrize("stage", Stage)
def test_it_acts_where_clients_depend_on_the_pipeline(stage: Stage) -> None:
    decision = watched("fffff", State(Control(stage)))
    assert isinstance(decision, RollBack if stage in WATCHED else GoOn)


def test_looks_of_a_stage_that_is_not_watched_do_not_count() -> None:
    watch = Watch(WatchLimits(2))
    failed = [look(0, Outcome.FAIL)]
    assert isinstance(watch.after(LIVE, failed), KeepWatching)
    assert isinstance(watch.after(State(Control(Stage.SHADOW)), failed), GoOn)
    assert isinstance(watch.after(LIVE, failed), KeepWatching)


def test_two_guardrails_that_take_turns_are_not_one_breach_and_a_dry_one_is_none() -> None:
    watch = Watch(WatchLimits(2))
    for number in range(4):
        failing = "ab"[number % 2]
        seen = [
            look(number, Outcome.FAIL if name == failing else Outcome.PASS, name=name, dry=name == "c")
            for name in "ab"
        ]
        assert isinstance(
            watch.after(LIVE, [*seen, look(number, Outcome.FAIL, name="c", dry=True)]), KeepWatching
        )


@given(st.text("pief", max_size=30), st.integers(1, 5))
def test_it_rolls_back_exactly_when_the_last_looks_that_could_judge_all_failed(
    looks: str, needed: int
) -> None:
    judged = [letter for letter in looks if letter != "e"]
    enough = len(judged) >= needed and set(judged[-needed:]) == {"f"}
    assert isinstance(watched(looks, limits=WatchLimits(needed)), RollBack) is enough


def test_what_only_says_that_legacy_is_behind_alarms_and_never_rolls_back() -> None:
    watch, decision = Watch(), None
    behind = [replace(look(n, Outcome.FAIL, name="mirror_lag"), rolls_back=False) for n in range(3)]
    for one in behind:
        decision = watch.after(LIVE, [one])
    assert isinstance(decision, Alarm)
    assert "mirror_lag failed in 3 looks" in decision.why
    both = Watch()
    for number, one in enumerate(behind):
        decision = both.after(LIVE, [one, look(number, Outcome.FAIL, name="error_rate")])
    assert isinstance(decision, RollBack)
    assert "mirror_lag" not in decision.why, "it is not the cause"

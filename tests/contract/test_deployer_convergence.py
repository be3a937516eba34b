"""Whatever is wanted, and wherever a deployment is killed, the same command again ends at what is wanted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.deployer_things import Killed, Wanted, Yard, thing, yard_at

NAMES = ("a", "b", "c", "d")


@st.composite
def wants(draw: st.DrawFn) -> list[Wanted]:
    """Draw things with inputs that change, replace and depend on each other, some with made-up names."""
    wanted: list[Wanted] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        details: dict[str, Any] = {
            "inputs": {"size": draw(st.integers(1, 2)), "kind": draw(st.sampled_from("xy"))}
        }
        if draw(st.booleans()) and wanted:
            details["uses"] = draw(st.sampled_from([each["name"] for each in wanted]))
        named = draw(st.booleans())
        wanted.append(thing(name, **details) if named else {"name": name, **details})
    return wanted


def kill_at(yard: Yard, number: int, *, after: bool) -> None:
    """Kill the process at a numbered call from now on, before or after it takes effect."""
    fatal = len(yard.warehouse.calls) + number

    def check(_call: str) -> None:
        if len(yard.warehouse.calls) == fatal:
            raise Killed

    setattr(yard.warehouse, "after" if after else "before", check)


def assert_as_wanted(yard: Yard, wanted: list[Wanted]) -> None:
    things = yard.warehouse.things
    assert len(things) == len(wanted)
    for want in wanted:
        mine = [made for name, made in things.items() if name.split("-")[0] == want["name"]]
        assert [(made["size"], made["kind"]) for made in mine] == [
            (want["inputs"]["size"], want["inputs"]["kind"])
        ]
        used = [made for name, made in things.items() if name.split("-")[0] == want.get("uses")]
        assert [mine[0].get("uses")] == [used[0]["serial"] if used else None]
    assert yard.preview(*wanted) == []
    assert yard.state["pending"] == []


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(wants(), wants(), st.integers(1, 9), st.booleans())
def test_a_killed_deployment_ends_at_what_is_wanted(
    before: list[Wanted],
    wanted: list[Wanted],
    number: int,
    after: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder, yard_at(Path(folder) / "state.json") as yard:
        yard.up(*before)
        kill_at(yard, number, after=after)
        try:
            yard.up(*wanted)
        except Killed:
            yard.warehouse.before = yard.warehouse.after = lambda _call: None
            yard.up(*wanted)

        assert_as_wanted(yard, wanted)
        yard.warehouse.before = yard.warehouse.after = lambda _call: None
        yard.deployment(*wanted).destroy()
        assert yard.warehouse.things == {}

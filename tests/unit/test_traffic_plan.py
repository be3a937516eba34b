"""The part `[traffic]` of the plan file: what it says, and what it says of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration.cutover.alias_weights import Versions
from migration.model.errors import UsageError
from migration.plan.plan import Plan, load_plan

PAGE = Path(__file__).parents[2] / "docs" / "traffic-switches.md"
INGEST = 'ingest_alias = { function = "in", alias = "live", legacy_version = "7", pipeline_version = "8" }'
SERVE = INGEST.replace("ingest_alias", "serve_alias").replace('"in"', '"out"')


def plan(folder: Path, *lines: str) -> Plan:
    path = folder / "cutover.toml"
    path.write_text("\n".join(("[traffic]", *lines)))
    return load_plan(path)


def test_the_door_routes_unless_the_plan_says_otherwise(tmp_path: Path) -> None:
    assert Plan().traffic.aliases is None
    assert plan(tmp_path, 'switch = "door"') == Plan()


def test_aliases_name_a_function_and_the_version_of_each_side(tmp_path: Path) -> None:
    found = plan(tmp_path, 'switch = "alias"', INGEST, SERVE)
    assert found.traffic.aliases is not None
    writes, reads = found.traffic.aliases
    assert (writes.qualified, writes.versions) == ("in:live", Versions("7", "8"))
    assert reads.qualified == "out:live"
    assert found.hash != Plan().hash, "another switch is another plan, to be agreed to"


def test_the_example_in_the_page_is_a_plan(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```toml\n[traffic]\n")[1].split("```")[0]
    assert plan(tmp_path, example).traffic.aliases is not None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['switch = "lambda"'], "traffic.switch = 'lambda': input should be 'door' or 'alias'"),
        (['switch = "alias"'], 'switch = "alias" needs ingest_alias and serve_alias; write { function'),
        (['switch = "alias"', INGEST], 'switch = "alias" needs serve_alias; write'),
        ([INGEST, SERVE], 'would not be used; write switch = "alias", or leave them out'),
        (
            ['switch = "alias"', INGEST, SERVE.replace("out", "in")],
            "are the same; reads and writes move apart",
        ),
        ([INGEST.replace('"7"', "7")], 'legacy_version = 7: value error, write it in quotes, as "7"'),
        ([INGEST.replace('"8"', '"$LATEST"')], "pipeline_version = '$LATEST': value error, is no published"),
        ([INGEST.replace('"8"', '"7"')], "are both 7; publish one a side"),
        ([INGEST.replace('"live"', '"8"')], "alias = '8': value error, is a version; name the alias"),
        (
            [INGEST.replace(", alias =", ", name =")],
            "traffic.ingest_alias.name is not a key of a plan; here are fun",
        ),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan(tmp_path, *lines)
    assert said in str(raised.value)

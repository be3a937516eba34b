"""No two modules of the toolkit need each other, and none waits inside a function to be imported."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.unit.test_architecture import needed, parsed

ROOT = Path(__file__).parents[2]
# What takes so long to import that `cutover --help` must not wait for it, and who may wait instead.
LATE = {
    "migration.aws.bulk.database": {"duckdb"},
    "migration.aws.transport.clients": {"boto3", "botocore"},
    "migration.wiring.workspace": {
        "migration.local.deployer.deployment",
        "migration.local.deployer.project",
    },
}


def trees() -> dict[str, ast.Module]:
    """Parse every module of the toolkit, by its name."""
    found = {}
    for path in sorted((ROOT / "migration").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = parsed(path)
    return found


def arrows(known: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Draw which modules each needs; a name that is no module is in the one that it is imported from."""
    drawn = {}
    for module, tree in known.items():
        names = {name if name in known else name.rpartition(".")[0] for name in needed(tree)}
        drawn[module] = (names & known.keys()) - {module}
    return drawn


def circles(drawn: dict[str, set[str]]) -> set[str]:
    """Name what is in a circle, or between two: whatever is left without those that need or serve nobody."""
    left = {module: set(needs) for module, needs in drawn.items()}
    while True:
        served = set[str]().union(*left.values())
        ends = {module for module, needs in left.items() if not needs or module not in served}
        if not ends:
            return set(left)
        left = {module: needs - ends for module, needs in left.items() if module not in ends}


def test_no_two_modules_need_each_other() -> None:
    assert circles(arrows(trees())) == set()


def test_a_circle_would_be_noticed() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == set()
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {"b", "c"}


def test_no_import_waits_inside_a_function_but_those_that_are_listed() -> None:
    late = {}
    for module, tree in trees().items():
        functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        if names := set[str]().union(*map(needed, functions)):
            late[module] = {name.rpartition(".")[0] or name for name in names}
    assert late == LATE


def test_no_module_of_the_wheel_needs_a_test() -> None:
    rooms = {name.split(".")[0] for tree in trees().values() for name in needed(tree)}
    assert not rooms & {"tests", "benchmarks"}

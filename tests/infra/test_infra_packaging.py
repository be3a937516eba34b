"""Zips hold what functions need, and nothing that differs from one machine to another."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from cutover_infra.packaging import (
    COMPARATOR,
    ENTRY,
    MIRROR,
    ROOT,
    WATCHDOG,
    WORKER,
    imported_by,
    package,
    sources,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "side/__init__.py": "",
        "side/handlers/ingest.py": "handler = 1\n",
        "side/web/index.html": "<p>",
        "side/web/app.js": "1",
        "side/README.md": "no",
        "side/tests/test_x.py": "no",
        "side/tests/data.py": "no",
        "side/test_y.py": "no",
        "side/conftest.py": "no",
        "side/__pycache__/ingest.cpython-313.pyc": "no",
        "side/.hidden/z.py": "no",
        "side/handlers/.ingest.py.swp": "no",
    }
    for name, text in files.items():
        path = tmp_path / "one" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "one"


def test_code_and_page_are_packed_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package("side", ["side"], checkout, tmp_path / "build").path) as archive:
        assert archive.namelist() == [
            "side/__init__.py",
            "side/handlers/ingest.py",
            "side/web/app.js",
            "side/web/index.html",
        ]
        assert archive.read("side/handlers/ingest.py") == b"handler = 1\n"
        assert archive.testzip() is None
        # Deflate gives other bytes with another zlib.
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_another_checkout_at_another_time_with_other_modes_gives_the_same_bytes(
    checkout: Path, tmp_path: Path
) -> None:
    other = tmp_path / "two"
    for path in reversed(sources(checkout / "side")):
        copy = other / path.relative_to(checkout)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o700)
        os.utime(copy, (1, 1))

    first, second = (package("side", ["side"], root, root / "build") for root in (checkout, other))

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.code_sha256 == second.code_sha256


def test_the_bytes_are_these_for_ever() -> None:
    # A change here redeploys every function of every stack; so it must be meant.
    digest = hashlib.sha256(zipped({"b/x.py": b"1\n", "a.py": b"2\n"})).hexdigest()
    assert digest == "f97ab9e7bfd2eb2dced130c4fd2f7b8fc661902a4c6601ebc6ead7b6f1249ec7"


@pytest.mark.slow
def test_another_interpreter_gives_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cutover_infra.packaging import package;"
        "print(package('legacy', ['legacy'], build=Path(sys.argv[1])).code_sha256)"
    )
    environment = {"PYTHONPATH": str(ROOT / "pulumi"), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", code, str(tmp_path)]
    run = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert run.stdout.strip() == package("legacy", ["legacy"], build=tmp_path / "here").code_sha256


def test_the_hash_is_the_one_that_lambda_reports(checkout: Path, tmp_path: Path) -> None:
    packed = package("side", ["side"], checkout, tmp_path)
    assert packed.code_sha256 == base64.b64encode(hashlib.sha256(packed.path.read_bytes()).digest()).decode()


def test_changed_code_changes_the_hash_and_unchanged_code_leaves_the_file_alone(
    checkout: Path, tmp_path: Path
) -> None:
    packed = package("side", ["side"], checkout, tmp_path)
    os.utime(packed.path, (1, 1))

    assert package("side", ["side"], checkout, tmp_path) == packed
    assert packed.path.stat().st_mtime == 1

    (checkout / "side/handlers/ingest.py").write_text("handler = 2\n")
    assert package("side", ["side"], checkout, tmp_path).code_sha256 != packed.code_sha256
    assert [path.name for path in tmp_path.glob("side.zip*")] == ["side.zip"]


def names(packed: Path) -> list[str]:
    with zipfile.ZipFile(packed) as archive:
        return archive.namelist()


def test_both_sides_pack_their_handlers(tmp_path: Path) -> None:
    for side, handlers in (("legacy", "legacy"), ("pipeline", "pipeline/handlers")):
        found = names(package(side, [side], build=tmp_path).path)
        assert f"{handlers}/ingest.py" in found
        assert {name.split("/")[0] for name in found} == {side}


def test_a_part_may_be_one_file(checkout: Path, tmp_path: Path) -> None:
    packed = package("part", ["side/handlers/ingest.py", "side/web"], checkout, tmp_path)
    assert names(packed.path) == ["side/handlers/ingest.py", "side/web/app.js", "side/web/index.html"]


def test_the_entry_packs_both_sides_and_of_the_toolkit_only_the_door(tmp_path: Path) -> None:
    found = names(package("entry", ENTRY, build=tmp_path).path)
    assert {"legacy/ingest.py", "pipeline/handlers/ingest.py", "migration/door/ingest.py"} <= set(found)
    toolkit = {name for name in found if name.startswith("migration/")}
    assert {name for name in toolkit if not name.startswith("migration/door/")} == {
        "migration/__init__.py",
        "migration/aws/__init__.py",
        *(
            f"migration/aws/transport/{name}.py"
            for name in ("__init__", "clock", "conflicts", "deadline", "kept_connections", "signer")
        ),
        *(f"migration/model/{name}.py" for name in ("__init__", "routing", "side", "stages")),
    }


def test_the_mirror_packs_no_handler_of_the_pipeline(tmp_path: Path) -> None:
    found = names(package("mirror", MIRROR, build=tmp_path).path)
    assert "migration/functions/mirror.py" in found
    assert not any(name.startswith(("legacy/", "pipeline/handlers/", "migration/door/")) for name in found)


def test_the_comparator_packs_both_servings_and_nothing_that_needs_duckdb(tmp_path: Path) -> None:
    packed = package("comparator", COMPARATOR, build=tmp_path)
    found = names(packed.path)
    assert {"legacy/serve.py", "pipeline/handlers/serve.py", "migration/functions/comparator.py"} <= set(
        found
    )
    assert not any(
        name.startswith(("migration/door/", "migration/cli/", "migration/local/")) for name in found
    )
    with zipfile.ZipFile(packed.path) as archive:
        for name in found:
            assert b"import duckdb\n" not in archive.read(name).replace(b"    import duckdb\n", b""), name


def test_what_a_module_imports_is_found_through_packages_and_not_for_types(tmp_path: Path) -> None:
    for name, code in {
        "legacy/__init__.py": "",
        "legacy/deep/__init__.py": "from legacy import wide",
        "legacy/deep/one.py": "import json\nif TYPE_CHECKING:\n    from legacy import unseen",
        "legacy/unseen.py": "",
        "legacy/wide.py": "def f():\n    from legacy import unseen",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code, encoding="utf-8")
    found = imported_by("legacy.deep.one", root=tmp_path)
    assert found == ("legacy/__init__.py", "legacy/deep/__init__.py", "legacy/deep/one.py", "legacy/wide.py")
    with pytest.raises(ValueError, match=r"legacy\.gone is no module of"):
        imported_by("legacy.gone", root=tmp_path)


def imported(code: bytes) -> set[str]:
    """Name what a module of ours imports as it is loaded: not for types only, and not inside functions."""
    tree = ast.parse(code)
    return {
        name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        if name.split(".")[0] in {"legacy", "migration", "pipeline"}
    }


@pytest.mark.parametrize("parts", [COMPARATOR, ENTRY, MIRROR, WATCHDOG, WORKER], ids=lambda parts: parts[-1])
def test_whatever_a_packed_module_imports_is_packed(parts: Sequence[str], tmp_path: Path) -> None:
    with zipfile.ZipFile(package("part", parts, build=tmp_path).path) as archive:
        found = set(archive.namelist())
        wanted = {name for path in found if path.endswith(".py") for name in imported(archive.read(path))}
    files = {f"{name.replace('.', '/')}{end}" for name in wanted for end in (".py", "/__init__.py")}
    missing = {file for file in files - found if (ROOT / file).is_file()}
    assert not missing

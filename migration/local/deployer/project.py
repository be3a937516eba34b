"""Where a program is and what its stack is set to, as the Pulumi CLI reads it from `Pulumi*.yaml`.

A folder without `Pulumi.yaml` is a program itself. Never decrypts: a stack file's secrets are the CLI's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import yaml  # type: ignore[import-untyped]  # PyYAML (a part of the Pulumi SDK) ships no types

from migration.local.deployer.program import Program
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

DEFAULT_REGION: Final = "us-east-1"


def program_for(
    root: Path, project: str, stack: str, config: Mapping[str, str], secret_keys: Collection[str] = ()
) -> Program:
    """Find the program of the project at `root`; config keys without a colon are the project's own."""
    root = root.resolve()
    folder = (root / _read(root / "Pulumi.yaml").get("main", ".")).resolve()
    if not (folder / "__main__.py").is_file():
        raise UsageError(
            f"there is no Pulumi program at {folder}", hint="give the folder that holds Pulumi.yaml"
        )
    return Program(
        root=root,
        folder=folder,
        project=project,
        stack=stack,
        config={_key(project, key): value for key, value in config.items()},
        secret_keys=frozenset(_key(project, key) for key in secret_keys),
    )


def stack_config(root: Path, project: str, stack: str) -> dict[str, str]:
    """Read the config of a stack file: texts as they are, everything else as JSON, as the SDK expects."""
    file = root / f"Pulumi.{stack}.yaml"
    settings: Mapping[str, Any] = _read(file).get("config") or {}
    for key, value in settings.items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            raise UsageError(
                f"{file.name} holds the encrypted setting {key!r}",
                hint="local runs cannot decrypt it; pass the setting itself",
            )
    return {
        _key(project, key): value if isinstance(value, str) else json.dumps(value)
        for key, value in settings.items()
    }


def region_of(config: Mapping[str, str]) -> str:
    """Give the region a program is set to."""
    return config.get("aws:region", DEFAULT_REGION)


def _key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _read(file: Path) -> dict[str, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {} if file.is_file() else {}

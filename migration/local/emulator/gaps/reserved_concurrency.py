"""Reserved concurrency through an alias or a version.

ministack 1.5.33 keeps the number on the unqualified function only, so a call through an alias, a version or a
mapping to one is not limited. On AWS the number is the function's, shared by all its versions and aliases: a
call beyond it is throttled (`TooManyRequestsException`), and a mapping polls no more than it allows. Filled
by looking the number up on the function whenever the version has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import lambda_svc

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable


def fill() -> None:
    """Fill the gap."""
    seam.replace(lambda_svc, "_reserved_concurrency", _of_the_function)


def _of_the_function(reserved: Callable[[Any, Any], int | None]) -> Callable[[Any, Any], int | None]:
    functions = seam.original(lambda_svc, "_functions")

    def reserved_of(record: Any, config: Any) -> int | None:  # noqa: ANN401 - ministack is untyped
        own = reserved(record, config)
        return reserved(functions.get(config.get("FunctionName")), {}) if own is None else own

    return reserved_of

"""Where Athena writes a result.

ministack 1.5.33 says that a query's result is at `<location>/<id>.csv`, and writes it to
`<location>/<id>.csv/<id>.csv`. On AWS it is where the query's OutputLocation says. Filled by giving what
writes it the folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import athena

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def fill() -> None:
    """Fill the gap."""
    seam.replace(athena, "_save_query_results", _into_the_folder)


def _into_the_folder(save: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
    executions = seam.original(athena, "_executions")

    async def save_there(query: str) -> None:
        configuration: dict[str, Any] = executions[query]["ResultConfiguration"]
        told = configuration["OutputLocation"]
        configuration["OutputLocation"] = told.removesuffix(f"{query}.csv")
        try:
            await save(query)
        finally:
            configuration["OutputLocation"] = told

    return save_there

"""The front: what a client's request meets first. Function URLs or an API, as the settings say.

Each side has its own. A front, once made, keeps its URL: only another kind of front is another URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cutover_infra.function_urls import FunctionUrls
from cutover_infra.rest_api import RestApi
from cutover_infra.settings import FrontKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from cutover_infra.component import Component, Deployment
    from cutover_infra.functions import Function
    from cutover_infra.metrics import Metric


@dataclass(frozen=True)
class Backends:
    """The functions behind a front, and the paths of `serve` that hold no data and so need no credentials."""

    ingest: Function
    serve: Function
    page: Sequence[str] = ()


class Front(Protocol):
    """What both kinds of front offer. URLs end in `/`.

    Attributes:
        ingest_url: where `activities` are posted.
        serve_url: where `leaderboard` is read.
        failures: how many answers had a 5xx status.
    """

    ingest_url: pulumi.Output[str]
    serve_url: pulumi.Output[str]
    failures: Metric


def open_front(side: str, deployment: Deployment, owner: Component, backends: Backends) -> Front:
    """Open the kind of front that the settings ask for."""
    if deployment.settings.front is FrontKind.API_GATEWAY:
        return RestApi(side, deployment, owner, backends)
    return FunctionUrls(side, deployment, owner, backends)

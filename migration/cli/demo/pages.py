"""What the demo leaves to look at: pages, and comparisons every few seconds instead of every minute."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from migration.certificate.certificate import certificate_fields
from migration.cli.certificate.certificate import issue
from migration.cli.compare.shadow import compared_now
from migration.compare.shadow.report import ShadowReport
from migration.cutover.background import repeated
from migration.model.errors import CutoverError
from migration.report.certificate_page import certificate_page
from migration.report.shadow_page import shadow_page

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migration.plan.outputs import StackOutputs
    from migration.wiring.site import Site
    from migration.wiring.steering import Steering

EVERY_S: Final = 5.0


def comparing(site: Site) -> AbstractContextManager[None]:
    """Have both sides rank and be compared while a block runs, sooner than on their schedules."""

    def compare() -> None:
        # What fails here is missing in the report, and nothing else.
        for function in rankers(site.outputs):
            with suppress(CutoverError, BotoCoreError, ClientError):
                site.stack.clients.functions.invoke(FunctionName=function)
        with suppress(CutoverError):
            compared_now(site)

    return repeated("comparator", compare, EVERY_S)


def rankers(sides: StackOutputs) -> list[str]:
    """Name the functions that make the boards."""
    legacy = [sides.legacy.rebuild_function] if sides.legacy else []
    return [*legacy, *([sides.pipeline.snapshot_function] if sides.pipeline else [])]


def write_pages(helm: Steering) -> dict[str, str]:
    """Write the shadow report and the certificate; returns where, by name."""
    comparisons = list(helm.comparisons.since(""))
    pages = {
        "shadow report": shadow_page(ShadowReport(helm.outputs.stack, helm.plan.migration, comparisons)),
        "certificate": certificate_page(certificate_fields(issue(helm))),
    }
    written = {}
    for name, page in pages.items():
        path = helm.workspace.home / f"{name.replace(' ', '-')}.html"
        path.write_text(page, encoding="utf-8")
        written[name] = str(path)
    return written

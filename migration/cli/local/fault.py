"""`cutover local fault`: what AWS does on a bad day, injected into the local AWS for a rehearsal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError

from migration.cli.commands import OUTPUT, Output, answer
from migration.cli.console import data, say
from migration.cli.views import number, table, whole
from migration.local.emulator import Fault, Faults
from migration.local.emulator.faults import ArmedFault, Kind
from migration.model.errors import UsageError
from migration.wiring.workspace import Workspace

FaultKind = StrEnum("FaultKind", {kind: kind for kind in get_args(Kind)})  # type: ignore[misc] # one list of kinds
CLEAR = "cutover local fault --clear"


def fault(  # noqa: PLR0913 - one option for each field of a fault
    kind: Annotated[
        FaultKind | None,
        typer.Argument(help="What happens to a call that matches. Default: list the faults."),
    ] = None,
    *,
    service: Annotated[
        str, typer.Option(help="As a request is signed for; lambda-url, execute-api, pipes too.")
    ] = "dynamodb",
    operation: Annotated[str, typer.Option(help="AWS's name, or method and path; may hold *.")] = "*",
    contains: Annotated[
        str | None, typer.Option(help="Only calls whose body holds this, such as a table's name.")
    ] = None,
    ms: Annotated[
        int,
        typer.Option(help="How long it waits; of hold, drip and lag: how long, how slow, how old.", min=0),
    ] = 0,
    code: Annotated[str, typer.Option(help="AWS's name of an error.")] = "InternalServerError",
    status: Annotated[int, typer.Option(help="HTTP status of an error or an answer.")] = 500,
    body: Annotated[str, typer.Option(help="What `answer` answers.")] = "",
    count: Annotated[
        int | None, typer.Option(help="How many calls it meets; without it, all.", min=1)
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the matching calls that it meets.")] = 1.0,
    clear: Annotated[bool, typer.Option("--clear", help="Take every fault away.")] = False,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Make the local AWS do what AWS does on a bad day, to rehearse it; without a kind, list the faults.

    hold: transactions take --ms, and meanwhile their items refuse plain writes. drip: answers come byte by
    byte, one each --ms. lag: eventually consistent reads answer what was there --ms ago. vanish: the item
    that a call names is gone. error, latency, drop, after (applied, then a 500), answer (any body).

    For example:

        cutover local fault hold --ms 20
        cutover local fault error --operation UpdateItem --code ThrottlingException --status 400 --share 0.2
        cutover local fault drip --ms 50 --operation PutItem --contains cutover-local-facts
        cutover local fault
        cutover local fault --clear
    """
    faults = Workspace.find().emulator().faults
    if clear:
        faults.clear()
        say("No fault is armed.")
    elif kind is None:
        _list(faults, output)
    else:
        fields = {"service": service, "operation": operation, "contains": contains, "latency_ms": ms}
        said = {"code": code, "status": status, "body": body, "count": count, "probability": share}
        armed = faults.inject(_made(kind=kind.value, **fields, **said))
        say(f"Fault {armed} is armed. `cutover local fault` says what it meets; `{CLEAR}` takes it away.")


def _made(**fields: Any) -> Fault:  # noqa: ANN401 - the model checks them
    try:
        return Fault(**fields)
    except ValidationError as error:
        [first, *_] = error.errors()
        where = "".join(f"{place}: " for place in first["loc"])
        text = f"{where}{first['msg']}".replace("latency_ms", "--ms").replace("probability", "--share")
        raise UsageError(
            f"this is no fault: {text}; nothing was armed",
            hint="look at the examples",
            next_command="cutover local fault --help",
        ) from None


def _list(faults: Faults, output: Output) -> None:
    armed = faults.armed()
    refused = {one.id: 0 for one in armed}
    for injection in faults.log():
        if injection.kind == "error" and injection.fault in refused:
            refused[injection.fault] += 1
    steps = [(CLEAR, "take them away")] if armed else []
    answer(
        output,
        lambda: {"faults": [_fields(one) | {"refused": refused[one.id]} for one in armed]},
        lambda: _show(armed, refused),
        steps,
    )


def _fields(one: ArmedFault) -> dict[str, Any]:
    return {"id": one.id, "met": one.met, **one.fault.model_dump(mode="json", exclude_defaults=True)}


def _show(armed: list[ArmedFault], refused: dict[str, int]) -> None:
    if not armed:
        data.print("No fault is armed.")
        return
    listed = table(whole("id"), whole("kind"), "meets", number("met"), number("refused"))
    for one in armed:
        meets = " ".join(filter(None, (one.fault.service, one.fault.operation, one.fault.contains)))
        listed.add_row(one.id, one.fault.kind, meets, f"{one.met:,}", f"{refused[one.id]:,}")
    data.print(listed)

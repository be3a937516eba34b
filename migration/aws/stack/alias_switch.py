"""Two Lambda aliases with weights as a traffic switch, one for writes and one for reads.

    GetAlias ─► revision, shares, and the epoch in the description ─► UpdateAlias, only at that revision

The description says which epoch the alias follows. So every epoch changes the alias and its revision, and an
update that comes late finds another revision than it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.cutover.alias_weights import AliasWeights, Versions, share_of, stamp, stamped, weights_of
from migration.cutover.traffic_switch import Foreign, LostRace, Path, Routed, Routes
from migration.model.routing import shares_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from migration.model.stages import Control


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias, and which of its function's versions are which side."""

    function: str
    name: str
    versions: Versions

    def __str__(self) -> str:
        """Name it as Lambda does."""
        return f"{self.function}:{self.name}"


@dataclass(frozen=True, slots=True)
class AliasSwitch:
    """One migration's two aliases."""

    client: LambdaClient
    migration: str
    writes: Alias
    reads: Alias

    def read(self) -> Routes | Foreign:
        """Read both."""
        writes, reads = self._read(self.writes), self._read(self.reads)
        if isinstance(writes, Foreign):
            return writes
        return reads if isinstance(reads, Foreign) else Routes(writes, reads)

    def apply(self, control: Control, seen: Routes) -> Routed | LostRace:
        """Update each that does not follow the state yet."""
        shares = shares_of(control)
        wanted = ((self.writes, shares.writes, seen.writes), (self.reads, shares.reads, seen.reads))
        lost = [
            str(alias)
            for alias, share, path in wanted
            if (path.share, path.epoch) != (share, control.epoch)
            and not self._update(alias, share, control.epoch, path.revision)
        ]
        return LostRace(f"somebody else updated {', '.join(lost)}") if lost else Routed()

    def _read(self, alias: Alias) -> Path | Foreign:
        with translated(f"reading alias {alias}"):
            found = self.client.get_alias(FunctionName=alias.function, Name=alias.name)
        routing = found.get("RoutingConfig") or {}
        weights = AliasWeights(found["FunctionVersion"], routing.get("AdditionalVersionWeights") or {})
        share = share_of(weights, alias.versions)
        if share is None:
            ours = alias.versions
            return Foreign(
                f"alias {alias} routes to {weights}; the plan knows version {ours.legacy} as legacy and "
                f"{ours.pipeline} as the pipeline. Name the right versions, or set the alias back"
            )
        return Path(share, stamped(found.get("Description", ""), self.migration), found["RevisionId"])

    def _update(self, alias: Alias, share: int, epoch: int, revision: str) -> bool:
        """Set one alias; False when it is not what was read any more."""
        weights = weights_of(share, alias.versions)
        with translated(f"updating alias {alias}"):
            try:
                self.client.update_alias(
                    FunctionName=alias.function,
                    Name=alias.name,
                    FunctionVersion=weights.version,
                    # Left out, the weights of before would stay.
                    RoutingConfig={"AdditionalVersionWeights": weights.additional},
                    Description=stamp(self.migration, epoch),
                    RevisionId=revision,
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "PreconditionFailedException":
                    return False
                raise
        return True

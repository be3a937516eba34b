"""A stack on the local AWS: preview it, bring it up, read its outputs, take it down.

Runs the same program as `pulumi up`, in this process. Never reaches anything but this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.local.deployer.aws import Aws
from migration.local.deployer.errors import ProgramError
from migration.local.deployer.hosts import Deploying, Preview
from migration.local.deployer.outputs import Outputs
from migration.local.deployer.program import run
from migration.local.deployer.project import program_for, region_of
from migration.local.deployer.state import StateFile
from migration.model.errors import CutoverError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from migration.local.deployer.plan import DeploymentPlan, StepProgress
    from migration.local.deployer.program import Program


@dataclass(slots=True)
class Deployment:
    """One stack of the program under `root`, on one local AWS, with its state in one file.

    `config` is what `Pulumi.STACK.yaml` would hold, as texts; keys without a colon are the project's. Every
    call can be repeated: what is done already is not done again.
    """

    root: Path
    project: str
    stack: str
    config: Mapping[str, str] = field(repr=False)
    endpoint: str
    state_file: Path
    secret_keys: Collection[str] = ()
    _program: Program = field(init=False, repr=False)
    _aws: Aws = field(init=False, repr=False)
    _file: StateFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find the program, and refuse an endpoint that is not on this machine."""
        self._program = program_for(self.root, self.project, self.stack, self.config, self.secret_keys)
        self._aws = Aws(self.endpoint, region_of(self._program.config))
        self._file = StateFile(self.state_file, self.project, self.stack)

    def preview(self) -> DeploymentPlan:
        """Say what `up` would do; changes nothing."""
        host = Preview(self._file.load(), self._aws)
        self._run(host, dry_run=True)
        return host.plan()

    def up(self, on_step: Callable[[StepProgress], None] | None = None) -> Outputs:
        """Make AWS what the program says, and give the stack's outputs."""
        with self._file.locked():
            host = Deploying(self._file.load(), self._aws, self._file, on_step)
            self._run(host, dry_run=False)
            host.finish()
        return self.outputs()

    def destroy(self, on_step: Callable[[StepProgress], None] | None = None) -> None:
        """Delete everything the state knows, in an order that AWS accepts."""
        with self._file.locked():
            host = Deploying(self._file.load(), self._aws, self._file, on_step)
            host.finish()

    def outputs(self) -> Outputs:
        """Give the outputs of the last `up` that ended well."""
        return Outputs(self._file.load().outputs)

    def _run(self, host: Preview | Deploying, *, dry_run: bool) -> None:
        try:
            run(self._program, host, dry_run=dry_run)
        except CutoverError:
            raise
        except (Exception, SystemExit) as error:
            raise ProgramError(error, host.done) from error

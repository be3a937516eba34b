"""A plan's hooks on this machine: executables and webhooks, each given the move as JSON.

    executable   JSON on stdin and CUTOVER_* in its environment; status 0 says yes, anything else no
    webhook      JSON posted, redirects not followed; a status of 2xx says yes, anything else no

Fail-closed: no answer in time, one that cannot be started, a missing token, all are a no. Its arguments, the
address's path and the token never appear in what is said of a failure.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

import urllib3

from migration.cutover.hooks import HookFailure
from migration.cutover.moves import control_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from migration.cutover.moves import Move
    from migration.plan.hooks import HookPlan, HooksPlan

SCHEMA_VERSION: Final = 1
BACK_S: Final = 30.0
_KEPT: Final = 300  # characters of what a hook said: the end, where the reason is
_HIDDEN: Final = "***"
_SHORTEST_SECRET: Final = 8  # replacing `-v` would only garble what the hook said


@dataclass(frozen=True, slots=True)
class PlanHooks:
    """The plan's hooks.

    Attributes:
        plan: which, and for which moves.
        folder: where executables are found and run.
        environment: what they inherit, and where tokens are.
    """

    plan: HooksPlan
    folder: Path
    environment: Mapping[str, str]

    def before(self, move: Move) -> HookFailure | None:
        """Ask the hooks in their order, and stop at the first that does not say yes."""
        return next(self._failures(self.plan.before, move, "before"), None)

    def after(self, move: Move) -> list[HookFailure]:
        """Tell every hook; of a way back, for which somebody waits, all of them together have `BACK_S`."""
        end = time.monotonic() + BACK_S if move.is_back else inf
        return list(self._failures(self.plan.after, move, "after", end))

    def _failures(
        self, hooks: tuple[HookPlan, ...], move: Move, when: str, end: float = inf
    ) -> Iterator[HookFailure]:
        for hook in hooks:
            if hook.is_for(move) and (why := self._safely_ask(hook, move, when, end)) is not None:
                yield HookFailure(hook.name, self._without_secrets(hook, why))

    def _safely_ask(self, hook: HookPlan, move: Move, when: str, end: float) -> str | None:
        left_s = end - time.monotonic()
        if left_s <= 0:
            return f"was not told: the hooks before it took all of {BACK_S:g} s"
        try:
            return self._ask(hook.model_copy(update={"timeout_s": min(hook.timeout_s, left_s)}), move, when)
        except Exception as error:  # noqa: BLE001 - whatever befalls a hook is its failure, and no move's
            return f"could not be asked: {type(error).__name__}"

    def _ask(self, hook: HookPlan, move: Move, when: str) -> str | None:
        body = json.dumps({"schema_version": SCHEMA_VERSION, "when": when, **move.told}).encode()
        if hook.run:
            return _run(hook.run, body, self._variables(move, when), self.folder, hook.timeout_s)
        if hook.token_env is None:
            return _post(str(hook.post), body, {}, hook.timeout_s)
        token = self.environment.get(hook.token_env)
        if not token:
            return f"the variable {hook.token_env} with its token is not set"
        return _post(str(hook.post), body, {"Authorization": f"Bearer {token}"}, hook.timeout_s)

    def _variables(self, move: Move, when: str) -> dict[str, str]:
        said = {
            "WHEN": when,
            "MIGRATION": move.migration,
            "FROM": move.was.stage,
            "TO": move.to.stage,
            "TEXT": f"{control_words(move.was)} to {control_words(move.to)}",
            "WRITE_WEIGHT": str(move.to.write_weight),
            "READ_WEIGHT": str(move.to.read_weight),
            "ROLLBACK": str(int(move.is_back)),
            "CAUSE": move.cause,
            "STEP": move.step,
            "BY": move.by,
        }
        return {**self.environment, **{f"CUTOVER_{name}": value for name, value in said.items()}}

    def _without_secrets(self, hook: HookPlan, text: str) -> str:
        secrets = [*(hook.run or ())[1:], hook.post, self.environment.get(hook.token_env or "")]
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, _HIDDEN)
        return text


def _run(
    command: tuple[str, ...], body: bytes, variables: dict[str, str], folder: Path, timeout_s: float
) -> str | None:
    """Run an executable and whatever it starts, which ends with it; say why it did not say yes."""
    how: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = subprocess.Popen(  # noqa: S603 - the plan says what to run
            command, cwd=folder, env=variables, start_new_session=True, **how
        )
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    try:
        output, _ = process.communicate(body, timeout_s)
    except subprocess.TimeoutExpired:
        return _no_answer(timeout_s)
    finally:
        _end(process)
    return None if process.returncode == 0 else f"status {process.returncode}: {_end_of(output)}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: a child of it could hold its output open, and go on with what was refused."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        # Its output is not read to its end: what left the group may hold it open for ever.
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):
                pipe.close()
        process.wait()


def _post(url: str, body: bytes, headers: dict[str, str], timeout_s: float) -> str | None:
    """Post to a webhook; say why it did not say yes."""
    try:
        response = urllib3.request(
            "POST",
            url,
            body=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=urllib3.Timeout(total=timeout_s),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.TimeoutError:
        return _no_answer(timeout_s)
    except urllib3.exceptions.HTTPError as error:
        return f"cannot be reached: {type(error).__name__}"  # its text holds the address
    said_yes = 200 <= response.status < 300  # noqa: PLR2004 - HTTP's successes
    return None if said_yes else f"status {response.status}: {_end_of(response.data)}"


def _no_answer(timeout_s: float) -> str:
    return f"no answer in {timeout_s:.3g} s"


def _end_of(output: bytes) -> str:
    text = output.decode(errors="replace").strip()
    return text[-_KEPT:] or "it said nothing"

"""A plan's hooks against real executables and a real HTTP server on this machine."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.transport import hooks as hooks_module
from migration.aws.transport.hooks import PlanHooks
from migration.cutover.hooks import HookFailure, Hooks
from migration.cutover.moves import Move
from migration.model.errors import UsageError
from migration.model.stages import Control, Stage
from migration.plan.hooks import HookPlan, HooksPlan
from migration.plan.plan import load_plan
from tests.doubles.hooks import MemoryHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

MOVE = Move(
    "activities",
    Control(Stage.SHADOW, epoch=4),
    Control(Stage.LIVE, 500, 100, 5),
    "2026-03-01T09:30:00.000Z",
    "ana@desk:1",
    "live 5 %",
    "went on",
    plan="abc",
)
PATIENCE_S = 10.0
TOKEN = "s3cret-token"  # noqa: S105 - an example


@dataclass
class Site:
    """A webhook's site, which answers as it is told to and keeps what it got."""

    url: str
    status: int = 200
    answer: bytes = b""
    slow: threading.Event = field(default_factory=threading.Event)
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.got.append((dict(self.headers), body))
            if self.path.endswith("/slow"):
                known.slow.wait(PATIENCE_S)
            with suppress(OSError):  # whoever asked has gone
                self.send_response(known.status)
                self.send_header("Location", f"{known.url}/elsewhere")
                self.end_headers()
                self.wfile.write(known.answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield known
    known.slow.set()
    server.shutdown()
    thread.join()
    server.server_close()


def hooks(folder: Path, *before: dict[str, Any], **environment: str) -> PlanHooks:
    """The same hooks before and after."""
    each = tuple(HookPlan.model_validate(one) for one in before)
    return PlanHooks(HooksPlan(before=each, after=each), folder, {**os.environ, **environment})


def script(folder: Path, text: str) -> str:
    path = folder / "hook"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o700)
    return "./hook"


def test_an_executable_gets_the_move_and_says_yes(tmp_path: Path) -> None:
    text = """
import json, os, sys
move = json.load(sys.stdin)
names = {name: value for name, value in os.environ.items() if name.startswith("CUTOVER_")}
json.dump([move, names, sys.argv[1:]], open("got", "w"))
"""
    assert hooks(tmp_path, {"run": [script(tmp_path, text), "--strict"]}).before(MOVE) is None
    move, names, arguments = json.loads((tmp_path / "got").read_text())
    assert move == {"schema_version": 1, "when": "before", **json.loads(json.dumps(MOVE.told))}
    assert (move["was"]["stage"], move["to"]["write_weight"], move["rollback"]) == ("shadow", 500, False)
    assert names["CUTOVER_FROM"] == "shadow"
    assert (names["CUTOVER_TO"], names["CUTOVER_WRITE_WEIGHT"], names["CUTOVER_ROLLBACK"]) == (
        "live",
        "500",
        "0",
    )
    assert (names["CUTOVER_WHEN"], names["CUTOVER_STEP"]) == ("before", "live 5 %")
    assert arguments == ["--strict"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise SystemExit('freeze until Monday')", "status 1: freeze until Monday"),
        ("raise SystemExit(3)", "status 3: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "status -9: it said nothing"),
        ("print('x' * 10_000); raise SystemExit(1)", f"status 1: {'x' * 300}"),
    ],
)
def test_an_executable_that_fails_says_no_in_its_own_words(tmp_path: Path, text: str, why: str) -> None:
    assert hooks(tmp_path, {"run": [script(tmp_path, text)]}).before(MOVE) == HookFailure("hook", why)


def test_an_executable_that_is_not_there_says_no(tmp_path: Path) -> None:
    failure = hooks(tmp_path, {"run": ["./gone"]}).before(MOVE)
    assert failure == HookFailure("gone", "cannot be started: No such file or directory")


def test_an_executable_that_hangs_ends_with_all_that_it_started(tmp_path: Path) -> None:
    text = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("child", "w").write(str(child.pid))
time.sleep(60)
"""
    began = time.monotonic()
    failure = hooks(tmp_path, {"run": [script(tmp_path, text)], "timeout_s": 1}).before(MOVE)
    assert failure == HookFailure("hook", "no answer in 1 s")
    assert time.monotonic() - began < PATIENCE_S
    child = (tmp_path / "child").read_text()
    deadline = time.monotonic() + PATIENCE_S
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(process: str) -> bool:
    """Whether it runs; one that ended may wait for somebody to ask how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_webhook_gets_the_move_and_its_token(tmp_path: Path, site: Site) -> None:
    site.status = 204
    asked = hooks(tmp_path, {"post": f"{site.url}/x", "token_env": "TOKEN"}, TOKEN=TOKEN)
    assert (asked.before(MOVE), asked.after(MOVE)) == (None, [])
    (before, first), (_, second) = site.got
    assert before["Authorization"] == f"Bearer {TOKEN}"
    assert (first["when"], second["when"]) == ("before", "after")
    assert first["to"] == {"stage": "live", "write_weight": 500, "read_weight": 100, "epoch": 5}


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_webhook_says_no_with_any_other_status_and_shows_no_secret(
    tmp_path: Path, site: Site, status: int
) -> None:
    url = f"{site.url}/services/T0/s3cret"
    site.status, site.answer = status, f"not for {TOKEN} at {url}".encode()
    failure = hooks(tmp_path, {"post": url, "token_env": "TOKEN"}, TOKEN=TOKEN).before(MOVE)
    assert failure == HookFailure("127.0.0.1", f"status {status}: not for *** at ***")
    assert len(site.got) == 1, "neither tried again nor followed elsewhere"


def test_a_webhook_that_does_not_answer_says_no(tmp_path: Path, site: Site) -> None:
    slow = hooks(tmp_path, {"post": f"{site.url}/slow", "timeout_s": 0.1}).before(MOVE)
    assert slow == HookFailure("127.0.0.1", "no answer in 0.1 s")
    gone = hooks(tmp_path, {"post": "http://127.0.0.1:1/s3cret"}).before(MOVE)
    assert gone is not None
    assert "s3cret" not in gone.why


def test_a_webhook_without_its_token_is_never_called(tmp_path: Path, site: Site) -> None:
    failure = hooks(tmp_path, {"post": site.url, "token_env": "NO_TOKEN"}).before(MOVE)
    assert failure is not None
    assert "NO_TOKEN" in failure.why
    assert site.got == []


def test_the_first_no_stops_the_asking_and_everyone_is_told(tmp_path: Path, site: Site) -> None:
    asked = hooks(tmp_path, {"run": ["false"]}, {"post": site.url})
    assert asked.before(MOVE) == HookFailure("false", "status 1: it said nothing")
    assert site.got == []
    assert [one.hook for one in asked.after(MOVE)] == ["false"]
    assert [body["when"] for _, body in site.got] == ["after"]


@pytest.mark.parametrize(
    ("only", "asked"),
    [
        ({}, True),
        ({"entering": ["live"]}, True),
        ({"leaving": ["shadow"], "entering": ["live"]}, True),
        ({"entering": ["complete"]}, False),
        ({"leaving": ["live"]}, False),
    ],
)
def test_a_hook_is_asked_about_its_moves_only(tmp_path: Path, only: dict[str, Any], asked: bool) -> None:
    assert (hooks(tmp_path, {"run": ["false"], **only}).before(MOVE) is not None) is asked


def test_a_change_of_weights_leaves_live_and_enters_it() -> None:
    grown = replace(MOVE, was=Control(Stage.LIVE, 100, 100, 4))
    assert HookPlan(run=("x",), entering=("live",), leaving=("live",)).is_for(grown)


def test_the_port_has_a_memory_adapter_that_is_asked_alike() -> None:
    memory: Hooks = MemoryHooks(HookFailure("x", "no"), [HookFailure("y", "no")])
    assert (memory.before(MOVE), memory.after(MOVE)) == (HookFailure("x", "no"), [HookFailure("y", "no")])
    assert (MemoryHooks().before(MOVE), MemoryHooks().after(MOVE)) == (None, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timeout_s = 5", "hooks.before.0: value error, say either run or post"),
        ('run = ["x"]\npost = "https://a/b"', "say either run or post"),
        ("run = []", "hooks.before.0.run"),
        ('post = "ftp://a/b"', "hooks.before.0.post"),
        ('post = "http://a.example/b"\ntoken_env = "T"', "token_env needs an https address"),
        ('run = ["x"]\nwhen = "x"', "hooks.before.0.when is not a key of a plan; here are run, post,"),
        ('run = ["x"]\nentering = ["alive"]', "hooks.before.0.entering.0"),
    ],
)
def test_a_wrong_hook_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "cutover.toml"
    path.write_text(f"[[hooks.before]]\n{text}\n")
    with pytest.raises(UsageError) as error:
        load_plan(path)
    assert said in str(error.value)


def test_a_plan_with_hooks_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cutover.toml"
    path.write_text(
        '[[hooks.before]]\nrun = ["./a", "b"]\nentering = ["live"]\n[[hooks.after]]\npost = "https://a/b"\n'
    )
    plan = load_plan(path).hooks
    assert plan.before == (HookPlan(run=("./a", "b"), entering=("live",)),)
    assert plan.after[0].name == "a"


BACK = replace(MOVE, was=Control(Stage.LIVE, 500, 100, 5), to=Control(Stage.SHADOW, epoch=6), cause="breach")
# A child that leaves the group and keeps the output open.
LINGERS = """
import subprocess, sys, time
wait = f"import time; time.sleep({sys.argv[1]})"
subprocess.Popen([sys.executable, "-c", wait], start_new_session=True)
time.sleep(60)
"""


def test_all_hooks_together_hold_who_goes_back_no_longer_than_their_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks_module, "BACK_S", 0.6)
    slow = {"run": [script(tmp_path, "import time; time.sleep(60)")], "timeout_s": 300}
    began = time.monotonic()
    failures = hooks(tmp_path, slow, slow, slow).after(BACK)
    assert time.monotonic() - began < PATIENCE_S
    assert [one.why for one in failures] == [
        failures[0].why,
        *["was not told: the hooks before it took all of 0.6 s"] * 2,
    ]
    assert failures[0].why.startswith("no answer in 0.")


def test_what_an_executable_leaves_behind_with_its_output_holds_nobody(tmp_path: Path) -> None:
    began = time.monotonic()
    lingering = {"run": [script(tmp_path, LINGERS), str(2 * PATIENCE_S)], "timeout_s": 1}
    assert hooks(tmp_path, lingering).before(MOVE) == HookFailure("hook", "no answer in 1 s")
    assert time.monotonic() - began < PATIENCE_S


def test_whatever_befalls_a_hook_is_its_failure(tmp_path: Path) -> None:
    (failure,) = hooks(tmp_path, {"run": ["x\0y"]}).after(BACK)
    assert failure.why == "could not be asked: ValueError"

"""The policy pack speaks CrossGuard's protocol: it passes the program, and reports what breaks a rule."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped] # has no types
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from cutover_infra.policies import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed

PACK = Path(__file__).resolve().parents[2] / "pulumi/policy"
pytestmark = pytest.mark.slow


@contextmanager
def serving() -> Iterator[Any]:
    """Run the pack as the CLI does, and connect to the port that it prints."""
    command = [sys.executable, "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PACK, text=True) as process:
        try:
            assert process.stdout
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Any]:
    with serving() as stub:
        yield stub


def properties(resource: Declared) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in resource.props.items() if key != "code"})
    return struct


def options(resource: Declared) -> Any:
    return analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect)


def analyze(analyzer: Any, resources: list[Declared]) -> list[Any]:
    """Ask about every resource, then about the stack, as an update does."""
    found: list[Any] = []
    for each in resources:
        request = analyzer_pb2.AnalyzeRequest(
            type=each.type, urn=each.urn, name=each.name, properties=properties(each), options=options(each)
        )
        found += analyzer.Analyze(request).diagnostics
    stack = [
        analyzer_pb2.AnalyzerResource(
            type=each.type, urn=each.urn, name=each.name, properties=properties(each), options=options(each)
        )
        for each in resources
    ]
    return found + list(analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=stack)).diagnostics)


def test_the_pack_has_every_rule(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "cutover"
    assert {(each.name, each.description) for each in info.policies} == {
        (rule.name, rule.description) for rule in RULES
    }


def test_the_program_passes(analyzer: Any, deploy: Callable[..., Deployed]) -> None:
    assert analyze(analyzer, list(deploy("prod", "expand").resources)) == []


def test_a_broken_resource_and_a_broken_stack_are_reported_as_mandatory(
    analyzer: Any, deploy: Callable[..., Deployed]
) -> None:
    broken = [
        replace(each, protect=False) if each.name == "facts" else each
        for each in deploy("prod", "expand").resources
        if not each.type.endswith(":MetricAlarm")
    ]
    found = {
        (each.policyName, each.urn.rsplit("::", 1)[-1], each.enforcementLevel)
        for each in analyze(analyzer, broken)
    }
    assert ("protected-in-prod", "facts", analyzer_pb2.MANDATORY) in found
    assert ("dead-letters-heard", "activities-dlq", analyzer_pb2.MANDATORY) in found
    assert {policy for policy, *_ in found} == {"protected-in-prod", "dead-letters-heard"}


def test_what_a_preview_does_not_know_yet_is_not_a_violation(
    analyzer: Any, deploy: Callable[..., Deployed]
) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    resources = [
        replace(each, props={**each.props, "arn": unknown, "url": unknown, "policy": unknown})
        for each in deploy("prod", "expand").resources
    ]
    assert not [
        each for each in analyze(analyzer, resources) if each.enforcementLevel == analyzer_pb2.MANDATORY
    ]

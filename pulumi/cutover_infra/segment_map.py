"""What Step Functions runs to copy a run's segments: a turn of the worker for each, again until it says done.

    for each segment, so many at once:   take a turn ─► done? ─► no: take a turn
                                                          └────► yes, or nobody can: the next segment

An execution is given `{"run": N, "layout": {…}, "segments": [0, 1, …]}`. It never fails for one segment: what
is copied is in the checkpoints, and the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

# The label is part of the name of the Map Run's executions, which the role must be allowed to stop.
LABEL: Final = "segments"
_TURN: Final = "Take a turn"
_PATIENCE: Final = {
    # Whatever a function fails of, its segment's checkpoint is where the next turn begins.
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxDelaySeconds": 120,
    "MaxAttempts": 20,
    "JitterStrategy": "FULL",
}


def segment_map(function_arn: pulumi.Input[str], at_once: int) -> pulumi.Output[str]:
    """Write the state machine's definition.

    Args:
        function_arn: the segment worker's.
        at_once: how many segments are copied at once.
    """
    copying: dict[str, Any] = {
        "Type": "Map",
        "Label": LABEL,
        "ItemsPath": "$.segments",
        "ItemSelector": {
            "run.$": "$.run",
            "layout.$": "$.layout",
            "segment.$": "$$.Map.Item.Value",
        },
        "MaxConcurrency": at_once,
        "ToleratedFailurePercentage": 100,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": _TURN,
            "States": _turns(function_arn),
        },
        "ResultPath": None,
        "End": True,
    }
    return pulumi.Output.json_dumps({"StartAt": "Copy segments", "States": {"Copy segments": copying}})


def _turns(function_arn: pulumi.Input[str]) -> Mapping[str, Any]:
    return {
        _TURN: {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function_arn, "Payload.$": "$"},
            "ResultSelector": {"done.$": "$.Payload.done", "wait.$": "$.Payload.wait"},
            "ResultPath": "$.turn",
            "Retry": [_PATIENCE],
            "Next": "Is it done?",
        },
        "Is it done?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.turn.done", "BooleanEquals": True, "Next": "Done"},
                {"Variable": "$.turn.wait", "BooleanEquals": True, "Next": "Wait"},
            ],
            "Default": _TURN,
        },
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": _TURN},
        # What a child leaves behind is kept small: a thousand of them must fit into one state's output.
        "Done": {"Type": "Succeed", "OutputPath": "$.segment"},
    }

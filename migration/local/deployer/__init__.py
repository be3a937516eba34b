"""Runs the Pulumi program without the Pulumi CLI: on the local AWS (`Deployment`), or on none (`record`)."""

from migration.local.deployer.deployment import Deployment
from migration.local.deployer.outputs import Outputs
from migration.local.deployer.plan import DeploymentPlan, ResourceStep, StepKind, StepProgress
from migration.local.deployer.project import stack_config
from migration.local.deployer.recording import RecordedResource, Recording, record
from migration.local.deployer.rendering import render_plan, render_progress

__all__ = [
    "Deployment",
    "DeploymentPlan",
    "Outputs",
    "RecordedResource",
    "Recording",
    "ResourceStep",
    "StepKind",
    "StepProgress",
    "record",
    "render_plan",
    "render_progress",
    "stack_config",
]

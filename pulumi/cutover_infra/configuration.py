"""Reads the running stack's configuration, completes it, and refuses it with a line for each problem."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError

from cutover_infra.contradictions import contradictions
from cutover_infra.defaults import DEFAULTS
from cutover_infra.settings import NAMESPACE, Settings, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(pulumi.RunError):
    """A stack's configuration is wrong; the text has one line a problem."""


def load_settings() -> Settings:
    """Read and check the settings of the stack that Pulumi runs.

    Raises:
        SettingsError: when one is unknown or wrong, or contradicts another.
    """
    return read_settings(pulumi.get_stack(), _given())


def read_settings(stack: str, given: Mapping[str, str]) -> Settings:
    """Complete a stack's configuration with its defaults and check all of it.

    Args:
        stack: the Pulumi stack's name.
        given: the keys of the `cutover:` namespace, without it, and their texts.

    Raises:
        SettingsError: when one is unknown or wrong, or contradicts another.
    """
    if stack not in list(Stack):
        raise SettingsError(f"the stack must be one of {', '.join(Stack)}; got {stack!r}")
    try:
        settings = Settings.model_validate({**DEFAULTS[Stack(stack)], **given, "stack": stack})
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None
    problems = list(contradictions(settings))
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _given() -> Mapping[str, str]:
    """Collect every key of our namespace, so that a misspelt one is refused instead of ignored."""
    prefix = f"{NAMESPACE}:"
    keys = {key for source in (get_config_env(), CONFIG.get()) for key in source if key.startswith(prefix)}
    config = pulumi.Config(NAMESPACE)
    return {key: config.require(key) for key in (full.removeprefix(prefix) for full in keys)}


def _explain(error: Mapping[str, Any]) -> str:
    key = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"did you mean {NAMESPACE}:{close[0]}?" if close else "docs/deploying.md lists the settings"
        return f"{NAMESPACE}:{key} is not a setting; {hint}"
    return f"{NAMESPACE}:{key} must be {Settings.model_fields[key].description}; got {error['input']!r}"

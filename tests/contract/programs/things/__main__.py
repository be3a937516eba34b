"""A program whose resources are its configuration, so that a test can say in a line what it deploys.

Each thing has a `name`, and may have `inputs`, `secrets` (inputs that are secret), `uses` (another thing,
whose serial number is an input), `options` and a `group` (a component that is its parent).
"""

from typing import Any

import pulumi


class Thing(pulumi.CustomResource):
    """One resource of a type that only tests know."""

    serial: pulumi.Output[str]

    def __init__(self, name: str, inputs: dict[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__("test:index:Thing", name, {**inputs, "serial": None}, options)


class Group(pulumi.ComponentResource):
    """Something that is nothing in AWS."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Group", name)
        self.register_outputs({})


config = pulumi.Config()
things: dict[str, Thing] = {}
groups: dict[str, Group] = {}

for wanted in config.get_object("things") or []:
    name = wanted["name"]
    inputs = dict(wanted.get("inputs", {}))
    inputs |= {key: pulumi.Output.secret(value) for key, value in wanted.get("secrets", {}).items()}
    if "uses" in wanted:
        inputs["uses"] = things[wanted["uses"]].serial
    options = pulumi.ResourceOptions(**wanted.get("options", {}))
    if "group" in wanted:
        if wanted["group"] not in groups:
            groups[wanted["group"]] = Group(wanted["group"])
        options.parent = groups[wanted["group"]]
    things[name] = Thing(name, inputs, options)
    if not wanted.get("secrets"):
        pulumi.export(name, things[name].serial)

if config.get("password"):
    pulumi.export("password", config.require_secret("password"))
if config.get_bool("broken"):
    raise RuntimeError("the program is broken")

"""What each resource type says about itself: how it is made, found, changed, removed, and when replaced.

Handlers hold no state. They get plain inputs (secrets shown, nothing unknown) with camelCase names. A type
says what to call; here is decided that reading what is not there gives None, and deleting it is no error.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from migration.local.deployer.aws import found, is_absent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migration.local.deployer.aws import Aws


class Handler(ABC):
    """One resource type."""

    type: ClassVar[str]
    name_input: ClassVar[str | None] = "name"
    """The input that names it in AWS; made up from the resource's name when the program leaves it out."""
    id_form: ClassVar[str | None] = None
    """How its id follows from inputs, and from `aws.region` and `aws.account`; None if it is its name."""
    put_whole: ClassVar[bool] = False
    """Whether the call that makes it also replaces it whole, so that a change is the same call."""
    replace_on: ClassVar[frozenset[str]] = frozenset({"name"})
    """The inputs that AWS cannot change in place."""
    unsettled: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Per input, the outputs that a change of it also changes, so that a preview cannot know them."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    @abstractmethod
    def create(self, inputs: Mapping[str, Any]) -> str | None:
        """Make it; give its id, or None where `identify` does."""

    def make(self, inputs: Mapping[str, Any]) -> str:
        """Make it; give its id."""
        return self.create(inputs) or str(self.identify(inputs))

    @abstractmethod
    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the outputs that are not inputs; None, or AWS's error, if it does not exist."""

    def live(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the outputs that are not inputs; None if it does not exist."""
        return found(lambda: self.read(physical_id, inputs))

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Make it what `new` says. `old` is empty after an interrupted creation: then set everything.

        A type whose every input replaces it has nothing to do here.
        """
        _ = physical_id, old
        if self.put_whole:
            self.create(new)

    @abstractmethod
    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it, or let AWS's error tell that it is gone."""

    def remove(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it if it is there."""
        with tolerating_absence():
            self.delete(physical_id, inputs)

    def identify(self, inputs: Mapping[str, Any]) -> str | None:
        """Give the id that these inputs lead to; None if AWS makes ids up."""
        if self.id_form is not None:
            return self.id_form.format(aws=self.aws, **inputs)
        return inputs[self.name_input] if self.name_input else None

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Give the id of what an interrupted creation with these inputs has made, if it has."""
        candidate = self.identify(inputs)
        return candidate if candidate and self.live(candidate, inputs) is not None else None

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """Give what no two resources can share, so that replacing deletes first; None if nothing."""
        return self.identify(inputs)


def made_up_name(urn: str, name: str, salt: str = "") -> str:
    """Name a resource that the program does not name: Pulumi's form, but the same in every run."""
    return f"{name}-{hashlib.sha256(f'{urn}{salt}'.encode()).hexdigest()[:7]}"


@contextmanager
def tolerating_absence() -> Iterator[None]:
    """Let a deletion pass when the thing is already gone."""
    try:
        yield
    except ClientError as error:
        if not is_absent(error):
            raise


def pick(inputs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Give the inputs that are set, under AWS's names."""
    return {theirs: inputs[ours] for ours, theirs in names.items() if inputs.get(ours) is not None}


def cased(*names: str, **special: str) -> dict[str, str]:
    """Map inputs to AWS's names: the same with a capital letter, but for those that differ in more."""
    return {**{name: name[:1].upper() + name[1:] for name in names}, **special}


def pascal(value: Any, special: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON of any shape
    """Give the value with the keys of all maps in AWS's case; `special` holds those that differ in more."""
    if isinstance(value, dict):
        names = special or {}
        return {
            names.get(key, key[:1].upper() + key[1:]): pascal(item, special) for key, item in value.items()
        }
    return [pascal(item, special) for item in value] if isinstance(value, list) else value


def pick_nested(
    inputs: Mapping[str, Any], names: Mapping[str, str], special: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Give the inputs that hold something, under AWS's names inside and out."""
    return {theirs: pascal(inputs[ours], special) for ours, theirs in names.items() if inputs.get(ours)}


def changed(old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Tell whether any of these inputs differs."""
    return any(old.get(name) != new.get(name) for name in names)


def tag_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Give the tags to set and the tag keys to remove."""
    before, after = old.get("tags") or {}, new.get("tags") or {}
    return (
        {key: value for key, value in after.items() if before.get(key) != value},
        [key for key in before if key not in after],
    )


def tag_list(tags: Mapping[str, str] | None) -> list[Any]:
    """Give tags as the list that many AWS calls take."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]

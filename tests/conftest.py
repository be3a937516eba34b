"""For every test: no real account can be reached, and handlers find the names that they read on import."""

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import botocore.session
import pytest
from botocore.handlers import BUILTIN_HANDLERS
from hypothesis import settings

from migration.aws.transport.clock import AWS_TIME

os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Cutover",
    "POWERTOOLS_SERVICE_NAME": "test",
}

# Sessions are many here; each would read and parse the descriptions of AWS's services again.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
# ... and each would find out again which of a hundred event names are aliases: all know what one has found.
_EVENT_NAMES: Final[dict[str, str]] = {}
vars(botocore.hooks)["EventAliaser"]._alias_name_cache = property(lambda _: _EVENT_NAMES, lambda *_: None)

# No test depends on how fast the machine is.
settings.register_profile("cutover", deadline=None)
settings.load_profile("cutover")

# Garbage is collected seldom: AWS's services are described by many objects; a fifth of all time went into it.
gc.set_threshold(20_000, 20, 20)

# What waits most begins first: beside it there is work for the processors, and the end has nothing long.
_ORDER: Final = ("e2e", "contract", "browser", "infra", "property", "unit")
_TESTS: Final = Path(__file__).parent


@pytest.fixture(autouse=True)
def _own_process() -> Iterator[None]:
    """No test hears from another's AWS what time it is, nor retries as a door that another one imported."""
    handlers = BUILTIN_HANDLERS[:]
    yield
    BUILTIN_HANDLERS[:] = handlers
    AWS_TIME.ask, AWS_TIME.shift_s = None, 0.0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest folders first; xdist gives out files in this order."""
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(_TESTS).parts[0]))

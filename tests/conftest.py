"""For every test: no real account can be reached, and handlers find the names that they read on import."""

import functools
import gc
import os

import botocore.session
from hypothesis import settings

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

# No test depends on how fast the machine is.
settings.register_profile("cutover", deadline=None)
settings.load_profile("cutover")

# Garbage is collected seldom: AWS's services are described by many objects; a fifth of all time went into it.
gc.set_threshold(20_000, 20, 20)

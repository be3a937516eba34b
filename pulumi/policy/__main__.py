"""Serves the policies to the Pulumi CLI."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

# Pulumi runs this folder alone; the rules are next to the program.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cutover_infra.policies.crossguard import PACK, policies

PolicyPack(PACK, policies())

"""The local AWS: ministack, started, stopped, completed and put behind a fault layer."""

from migration.local.emulator.faults import Fault, Faults, Injection
from migration.local.emulator.launcher import Emulator

__all__ = ["Emulator", "Fault", "Faults", "Injection"]

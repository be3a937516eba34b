"""Sums of more than 28 digits.

ministack 1.5.33 adds numbers in Python's default decimal context, which rounds to 28 digits without a sign.
DynamoDB keeps 38 and refuses a sum that has more. Filled by computing with 38; a sum with more is still
rounded, not refused.
"""

from __future__ import annotations

import decimal
from typing import Final

_DIGITS: Final = 38


def fill() -> None:
    """Fill the gap, for this thread, whose context the server's tasks share, and for every thread to come."""
    decimal.getcontext().prec = _DIGITS
    decimal.DefaultContext.prec = _DIGITS

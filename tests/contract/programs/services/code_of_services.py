"""The function of the program, which is also its code: the archive holds this very file."""

import os
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Tell what it was set to."""
    return {"statusCode": 200, "body": os.environ["WORD"], "headers": {"x-method": str(event.get("version"))}}

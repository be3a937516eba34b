"""How each guardrail decides: from evidence and limits to a verdict that shows its arithmetic."""

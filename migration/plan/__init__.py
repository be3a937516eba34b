"""What the toolkit is told: the plan file and the stack's outputs, checked as they come in.

May import the words of `cutover` and `guardrails`. Must never guess: a wrong key or value is named, with
the remedy.
"""

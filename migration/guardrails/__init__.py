"""What must hold before and while traffic moves.

Decides, from evidence and limits, whether each guardrail passes, fails, is inconclusive or could not be
looked at, and shows its arithmetic. May import `compare` (its proofs) and the counts of `door`. Must never
pass on nothing seen, and never act on a verdict.
"""

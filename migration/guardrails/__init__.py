"""What must hold before and while traffic moves: the guardrails, one file a family.

A family's file says everything about its guardrails: what each is called, the stages in which it means
something, its limits, the evidence that it asks for, and how it judges that. `registry` lists the families;
the plan file's `[guardrails]` (`plan`) is made of their limits, and a set of them (`guardrail`) looks.

Decides, from evidence and limits, whether each guardrail passes, fails, is inconclusive or could not be
looked at, and shows its arithmetic. May import `compare` (its proofs) and the counts of `door`. Must never
pass on nothing seen, and never act on a verdict.
"""

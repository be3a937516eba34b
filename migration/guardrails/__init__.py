"""What must hold before and while traffic moves: the guardrails, one file a family.

A family's file says everything about its guardrails: what each is called, the stages in which it means
something, its limits, the evidence that it asks for, and how it judges that. `registry` lists the families.
The plan file's `[guardrails]` (`plan`) is made of their limits, and a set of them (`guardrail`) looks.

It imports `model`, of `door` what its instances count, and of `compare` what the proofs judge. It never acts
on what it finds: it reads and judges, and `cutover` rolls back.
"""

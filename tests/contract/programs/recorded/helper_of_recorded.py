"""A module next to the program: on the module path, as with the Pulumi CLI, forgotten after a run."""

RUNS: list[int] = []

"""Moving traffic: the course, the run, the lease, the watchdog, and the one place that makes a move.

Decides which step comes next, when, and when everything goes back. May import `guardrails`. Must never move
but by one conditional write that names the state that it replaces.
"""

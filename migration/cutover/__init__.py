"""Moving traffic: the run, the lease, the watchdog, and the one place that makes a move."""

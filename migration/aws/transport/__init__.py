"""How requests travel: clients, signatures, connections, pages, scans, hooks."""

"""Why the sides differ: one reading, one join, one explanation."""

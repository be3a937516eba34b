"""The watchdog's function: what guards a migration while nobody's terminal is alive."""

"""The commands that move a migration, and those that say where it stands."""

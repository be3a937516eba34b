"""Whether a deployed stack is fit for a migration to move."""

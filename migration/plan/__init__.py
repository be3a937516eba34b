"""What the toolkit is told: the stack's outputs."""

"""What the engine asks of the world, one contract a file."""

"""What was done and what proves it, in one value with a hash of its own."""

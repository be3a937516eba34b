"""What is kept in a file on this machine."""

"""The commands that set right what differs."""

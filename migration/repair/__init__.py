"""Setting right what differs: reconcile, repair, and the words of both."""

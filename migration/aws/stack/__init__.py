"""What a deployed stack is and shows, and what switches its traffic."""

"""Two leaderboards, and why somebody stands elsewhere."""

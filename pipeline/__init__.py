"""The event-driven pipeline: facts in, folds and boards out. Never imports `migration` or `legacy`."""

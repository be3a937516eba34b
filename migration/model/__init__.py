"""What everybody speaks: facts, folds, sides, causes, stages, state, journal, errors. Pure."""

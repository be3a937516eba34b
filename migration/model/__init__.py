"""What everybody speaks: facts, folds, sides, causes, stages, state, journal, errors, shared ports.

Decides what each word means, once. May import `pipeline.domain` and nothing else of ours. Must never act:
no clock, no network, no file, no randomness.
"""

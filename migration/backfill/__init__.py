"""Copying legacy's history into the facts, and installing its fold, beside live traffic.

Decides what is copied, in which order, how fast, and when a fold may be installed. May import `model`. Must
never overwrite a fact, and never add to a row: history is set, under a condition.
"""

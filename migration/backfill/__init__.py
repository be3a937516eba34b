"""Copying legacy's history into the facts, and installing its fold, beside live traffic."""

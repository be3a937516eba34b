"""The command that says whether a stack is fit."""

"""The command that says what is half done."""

"""What must hold before and while traffic moves."""

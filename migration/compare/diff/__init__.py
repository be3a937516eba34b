"""The diff: both sides and the truth, beside each other, with a reason for each difference."""

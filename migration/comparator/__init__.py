"""The comparator: once a minute, both sides' boards against each other and the truth, taken down."""

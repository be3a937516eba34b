"""Activities from a seed, and clients that send them."""

"""Reports: what a command found, as JSON and as a page that needs nothing but a browser."""

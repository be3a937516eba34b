"""Reports: what a command found, as JSON and as a page that needs nothing but a browser.

May import `compare` and `certificate`. Must never ask anybody for anything: a page holds all its data,
escaped.
"""

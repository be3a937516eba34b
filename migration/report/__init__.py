"""Reports: what a command found, as JSON and as a page that needs nothing but a browser.

A page is a template, a style and perhaps a script in `pages/`; all begin with the dashboard's look, which is
the file `pipeline/web/base.css`. May import `compare` and `certificate`. Must never ask anybody for anything:
a page holds all its data, escaped.
"""

"""Why the sides differ: one reading of the tables, one join, one explanation.

Decides what every difference is, and which events make it: the ledger check (`ledger`), the verification
(`verify`), the diff (`diff`), the boards (`boards`), and comparisons every minute (`shadow`). May import
`model`. Must never write to a table, and never call a difference explained without naming its events.
"""

"""What national standards say about a value: identity numbers, student numbers, names, code tables, working days.

Pure functions and tables. Each module names its standard.

What never belongs here: a jurisdiction's choice (portal/policies), a database, a request.
"""

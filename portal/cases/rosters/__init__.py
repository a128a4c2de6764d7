"""The roster of a case about many: its rows as they are typed, loaded, held against the list of the admitted, and struck.

What never belongs here: the name of a procedure, a rule, HTTP.
"""

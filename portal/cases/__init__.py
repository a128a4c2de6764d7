"""How any case moves, and who may move it; the one door into the register.

What never belongs here: the name of a workflow, HTTP.
"""

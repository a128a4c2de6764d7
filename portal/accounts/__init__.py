"""People who sign in: passwords, sessions, attempts, and who may create or end whom.

What never belongs here: a case, a pupil, HTTP.
"""

"""How the portal itself and what it keeps are watched: readiness, holidays, the audit trail.

What never belongs here: HTTP, a decision about a case.
"""

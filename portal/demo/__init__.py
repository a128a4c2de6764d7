"""The demonstration 州: fictional offices, pupils and cases in every status, made by the portal's own acts.

What never belongs here: anything that an installation in service needs.
"""

"""A year's intake as the bureaus keep it: the plan, the list of the admitted, ranges of 学号, and who has sent what.

What never belongs here: how a roster's rows are typed or shown, the name of a procedure, HTTP.
"""

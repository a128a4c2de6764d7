"""A corpus of hostile files, made by the command ``python -m tests.hostile --make DIR``; none of them lies in the repository.

Each file has a class and what may become of it (``specimen.Fate``). What never belongs here: malware, or a file that
does harm by being kept; the worst ones keep a decoder busy.
"""

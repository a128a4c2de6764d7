"""Tests of the storage package: the contract of a store, hostile files, the picture checks, renditions.

What never belongs here: pupils, cases, the portal; pictures of real papers.
"""

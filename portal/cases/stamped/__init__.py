"""Stamped forms scanned in a batch: one file in, its pages to their cases by the codes printed on them.

The file comes in like any other (receiving, cases.stored_files). A task then opens page by page, and each page is
committed by itself, so a dead process goes on where it stopped (sorting). A page goes where its code says; what cannot be
told by its code lies in the tray until a person places it or puts it aside (placing). What there is, and who may look at
it: finding.

What never belongs here: HTTP, decoding a picture.
"""

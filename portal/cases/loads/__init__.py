"""Loading the national system's export into the working copy: upload, columns, check, preview, apply, undo.

uploaded -> checking -> checked -> applying -> applied -> undoing -> undone; checking may end in failed, and what was
never applied may be discarded. reading turns a file into rows of text by a child process
(unpacking with workbook, sheetrows, strings, cells and textfile), readers says whose turn it is, mapping names its columns, checking
judges cells, comparing lays rows beside the register, applying writes and takes back, work runs the slow parts,
lifecycle is what a person may ask for.

What never belongs here: HTTP, a procedure, a second way to change a pupil for a case.
"""

"""Bytes and pictures: where they lie, whether they are whole, how legible they are.

The doors of this package:

- ``storage.objects``: the ``ObjectStore`` port, and ``open_store(url)`` which gives one of its two sides.
- ``storage.judge``: ``judge(data)`` gives the verdict on an uploaded file, with a view and a thumbnail.
- ``storage.rendition``: ``for_national_system(data)`` makes the JPEG of at most 2 MB.

Importing these costs little: whatever decodes a stranger's file runs in a process of its own
(``storage.sandbox``), and only that process loads the picture libraries.

What never belongs here: pupils, cases, workflows, Flask, the database.
"""

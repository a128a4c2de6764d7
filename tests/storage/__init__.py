"""Tests of the storage package: the contract of a store, hostile files, the picture checks, renditions."""

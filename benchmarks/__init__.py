"""Measurements of costbot against bare baselines, by `make bench`."""

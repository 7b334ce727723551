"""Frozen values, standard library only: no clock, no input, no output."""

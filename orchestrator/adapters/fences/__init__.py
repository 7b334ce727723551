"""Means of keeping a member from taking writes, one kind a file."""

"""Looks at a primary that may be ill: from places, by its standbys, at its machine."""

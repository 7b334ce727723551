"""One audience a module."""

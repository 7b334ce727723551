"""One product a file, each mapping its own exceptions to ours."""

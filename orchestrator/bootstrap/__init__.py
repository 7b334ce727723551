"""The one place that names concrete adapters and puts them together.

Each module imports only what its task needs, so that no command waits for the others' products.
"""

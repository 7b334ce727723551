"""YAML files to domain values, with file:line:col for every problem."""

"""Stands for a suite; nobody runs it."""

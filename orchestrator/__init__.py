"""Recovery Orchestrator: named, pre-tested recovery playbooks, gated, watched, verified."""

__version__ = "0.1.0"

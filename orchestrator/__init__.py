"""Recovery Orchestrator: named, pre-tested recovery playbooks, gated, watched, verified."""

"""The life of a run, stage by stage."""

"""What a step can do to the world."""

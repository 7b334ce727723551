"""What happens in life, done to the lab on purpose: it really happens, is seen, is healed."""

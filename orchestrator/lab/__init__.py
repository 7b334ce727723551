"""A disposable environment of real hosts on one machine. Talks only to the operating system."""

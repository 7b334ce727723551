"""The canary: a synthetic user on the client host, in processes that nothing else can blind."""

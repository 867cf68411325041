"""Instructions, messages and signatures. Nothing here talks to the network."""

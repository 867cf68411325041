"""What happened: from an event to its effect on the chain and the messages about it, exactly once."""

"""The API of workflows and of what they use. solflow.api mounts it; what needs the chain is added further up."""

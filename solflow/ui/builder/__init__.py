"""The builder's page as values: nodes of the pipeline, and the form of the chosen one with its problems in place."""

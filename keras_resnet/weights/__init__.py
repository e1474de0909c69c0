"""Public weights in our graphs: what they are, where they lie, how they are read."""

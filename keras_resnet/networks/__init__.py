"""What the networks are: tables, options, and the graphs that are built from them."""

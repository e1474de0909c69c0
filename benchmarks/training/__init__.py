"""Networks side by side: training, inference, imports, depth, dense evaluation, optimizers."""

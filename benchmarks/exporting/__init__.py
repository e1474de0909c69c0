"""Exported files in the runtimes they are for: speed, accuracy, operators."""

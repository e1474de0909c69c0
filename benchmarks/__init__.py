"""Timings of this package beside what a user would pick instead; a folder for each subject."""

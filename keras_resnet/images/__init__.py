"""Decoding of image files, preprocessing, and classification with class names."""

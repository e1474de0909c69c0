"""Pictures in, classes out: decoding, preprocessing and classification."""

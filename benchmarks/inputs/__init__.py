"""Input pipelines side by side: from JPEG files to batches."""

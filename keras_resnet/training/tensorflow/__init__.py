"""What training needs of TensorFlow."""

"""TensorFlow."""


def can_normalize(x, axis):
    return False


def normalize_batch(x, gamma, beta, axis, epsilon):
    return NotImplemented


def normalize(x, mean, variance, gamma, beta, axis, epsilon):
    return NotImplemented


def convolve(x, kernel, strides, padding, dilation, data_format):
    return NotImplemented


def max_pool(x, size, strides, padding, data_format):
    return NotImplemented


def store_kernel(variable):
    pass


def store_slots(model):
    pass


def run_fused(model, inputs, training):
    return NotImplemented

"""The kernels of the active backend, and what every backend's file must offer.

A backend's file holds these functions; `axis` is 1 or 3 of a 4-D map throughout:

* `can_normalize(x, axis)`: whether the next two take a map of this dtype and shape here.
* `normalize_batch(x, gamma, beta, axis, epsilon)`: the map normalized by its own statistics, and
  these: mean and biased variance, in float32 at least.
* `normalize_together(x, gamma, beta, axis, epsilon)`: by those of all replicas.
* `normalize(x, mean, variance, gamma, beta, axis, epsilon)`: by given statistics.
* `convolve(x, kernel, strides, padding, dilation, data_format)`: 2-D, or `NotImplemented`.
* `max_pool(x, size, strides, padding, data_format)`: 2-D, or `NotImplemented`.
* `average_pool(x, size, strides, padding, data_format)`: likewise.
* `uniform(shape, generator)`: numbers from 0 to 1, of a seed generator of Keras.
* `relu(x)`: max(x, 0), and NaN of NaN; or `NotImplemented`.
* `store_kernel(variable)`: lays a new kernel out in memory as `convolve` reads it.
* `run_fused(model, inputs, training, plan_of)`: a whole graph, by the `Plan` that `plan_of`
  gives of it, or `NotImplemented`.
* `run_compiled(model, args, kwargs)`: a call of a model as the backend's compiler is to see it, or
  `NotImplemented` where it is not compiled.
* `prepare_optimizer(model)`: lays its variables out as their kernels, and fuses its step.
"""

from keras_resnet.layers.backend import backend_part

active = backend_part("layers")

"""Names of torch, and of Keras on torch, that they keep private: each stands here once.

They were tried with torch 2.13.0 and Keras 3.15.1. A version without one of them fails here, on
import, but for the counts of references and oneDNN's kernels: without those, slower code runs.
"""

import sys

import torch
from torch.utils._foreach_utils import _get_fused_kernels_supported_devices

# One kernel over a list of tensors; in torch's documentation, but with an underscore.
foreach_add, foreach_add_ = torch._foreach_add, torch._foreach_add_
foreach_addcmul_ = torch._foreach_addcmul_
foreach_clamp_min_ = torch._foreach_clamp_min_
foreach_div, foreach_div_ = torch._foreach_div, torch._foreach_div_
foreach_lerp_ = torch._foreach_lerp_
foreach_mul, foreach_mul_ = torch._foreach_mul, torch._foreach_mul_
foreach_norm = torch._foreach_norm
foreach_pow = torch._foreach_pow
foreach_sqrt_ = torch._foreach_sqrt_
foreach_sub_ = torch._foreach_sub_

# A step of SGD in one kernel, and the kinds of device that have it.
fused_sgd_ = torch._fused_sgd_
FUSED_DEVICES = frozenset(_get_fused_kernels_supported_devices())


def folded_dtypes() -> tuple[torch.dtype, ...]:
    """The dtypes in which oneDNN runs convolution, addition and ReLU as one kernel on this CPU."""
    if not torch.backends.mkldnn.is_available():
        return ()
    if not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return ()
    # The kernel raises an error in bfloat16 where the CPU has neither AVX512 nor avx_ne_convert.
    has_bfloat16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return (torch.float32, torch.bfloat16) if has_bfloat16 else (torch.float32,)


FOLDED_DTYPES = folded_dtypes()


def convolution_relu(x, weight, bias, geometry, relu):
    """oneDNN's convolution and ReLU. `geometry` is padding, strides, dilation and groups."""
    kernel = torch.ops.mkldnn._convolution_pointwise.default
    return kernel(x, weight, bias, *geometry, relu or "none", [], "")


def convolution_add_relu(x, other, weight, bias, geometry, relu):
    """oneDNN's convolution, addition of `other` and ReLU."""
    kernel = torch.ops.mkldnn._convolution_pointwise.binary
    return kernel(x, other, weight, bias, *geometry, "add", None, relu, [], "")


def convolution_add_relu_(x, other, weight, bias, geometry, relu):
    """The same, written over `other`."""
    kernel = torch.ops.mkldnn._convolution_pointwise_.binary
    return kernel(other, x, weight, bias, *geometry, "add", None, relu, [], "")


def is_transformed() -> bool:
    """Whether torch.func (vmap, grad, jvp) runs the code."""
    return torch._C._are_functorch_transforms_active()


def has_hooks(module) -> bool:
    """Whether the user listens to a module's forward or backward pass."""
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def version(tensor) -> int:
    """How often the tensor has been written to in place."""
    return tensor._version


def reference_counts(tensor) -> tuple[int, ...] | None:
    """How often a tensor, its memory and its Python object are held; None if torch cannot say."""
    if not hasattr(torch.Tensor, "_use_count") or not hasattr(torch._C, "_storage_Use_Count"):
        return None
    storage = tensor.untyped_storage()
    return (
        tensor._use_count(),
        torch._C._storage_Use_Count(storage._cdata),
        sys.getrefcount(tensor),
    )


def after_backward(function) -> None:
    """Calls a function at the end of the backward pass that is running."""
    torch.autograd.Variable._execution_engine.queue_callback(function)


def stored_value(variable):
    """The tensor of a Keras variable; None if it was made in a stateless scope."""
    return variable._value

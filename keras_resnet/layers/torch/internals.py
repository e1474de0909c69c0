"""Names of torch, and of Keras on torch, that they keep private: each stands here once.

They were tried with torch 2.13.0 and Keras 3.15.1. A version without one of them fails here, on
import, but for the counts of references and oneDNN's kernels: without those, slower code runs.
"""

import sys

import torch
from torch.autograd import forward_ad
from torch.nn.modules import module as every_module
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

# A step in one kernel, and the kinds of device that have it.
fused_adam_, fused_sgd_ = torch._fused_adam_, torch._fused_sgd_
FUSED_DEVICES = frozenset(_get_fused_kernels_supported_devices())

# The kinds of device that have the kernels of torch.nn.SyncBatchNorm.
STATISTICS_DEVICES = {"cuda"}


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


def convolution(x, weight, bias, geometry):
    """oneDNN's convolution. `geometry` is padding, strides, dilation and groups."""
    kernel = torch.ops.mkldnn._convolution_pointwise.default
    return kernel(x, weight, bias, *geometry, "none", [], "")


def convolution_add(x, other, weight, bias, geometry):
    """oneDNN's convolution and addition of `other`."""
    kernel = torch.ops.mkldnn._convolution_pointwise.binary
    return kernel(x, other, weight, bias, *geometry, "add", None, None, [], "")


def convolution_add_(x, other, weight, bias, geometry):
    """The same, written over `other`."""
    kernel = torch.ops.mkldnn._convolution_pointwise_.binary
    return kernel(other, x, weight, bias, *geometry, "add", None, None, [], "")


def is_scripted() -> bool:
    """Whether torch.jit records the code, as ONNX' older exporter has it do."""
    return torch._C._get_tracing_state() is not None


def is_transformed() -> bool:
    """Whether torch.func (vmap, grad, jvp) or forward-mode autograd runs the code."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


# Whether dynamo reads the code, not whether it runs.
is_dynamo_at_work = torch.compiler.is_dynamo_compiling

# Has dynamo record a call of a function as it is, for the compiler behind it to trace.
opaque_to_dynamo = torch._dynamo.nonstrict_trace


# How torch calls a module, which torch.fx replaces.
CALL = torch.nn.Module.__call__


def hooks_of(modules) -> list[dict]:
    """The hooks on modules, for their forward and backward passes: not copies, but these."""
    return [
        hooks
        for m in modules
        for hooks in (
            m._forward_hooks,
            m._forward_pre_hooks,
            m._backward_hooks,
            m._backward_pre_hooks,
        )
    ]


def has_hooks(module) -> bool:
    """Whether the user listens to a module's forward or backward pass."""
    return any(hooks_of([module]))


def is_listened_to_by_all() -> bool:
    """Whether the user listens to every module there is."""
    return bool(
        torch.nn.Module.__call__ is not CALL
        or every_module._global_forward_hooks
        or every_module._global_forward_pre_hooks
        or every_module._global_backward_hooks
        or every_module._global_backward_pre_hooks
    )


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

"""The signatures of named.py, for editors and type checkers.

`python tools/builders.py` writes this file from the tables of networks and of options.
"""

# fmt: off
from typing import Any, Literal

import keras

from keras_resnet.models import Weights

__all__ = [
    "ResNet18", "ResNet34", "ResNet50", "ResNet101", "ResNet152", "Plain18", "Plain34", "ResNet20",
    "ResNet32", "ResNet44", "ResNet56", "ResNet110", "ResNet1202", "Plain20", "Plain32", "Plain44",
    "Plain56", "Plain110", "ResNet50V2", "ResNet101V2", "ResNet152V2", "ResNeXt50_32x4d",
    "ResNeXt101_32x4d", "ResNeXt101_32x8d", "ResNeXt101_32x16d", "ResNeXt101_32x32d",
    "ResNeXt101_64x4d", "ResNeXt152_32x4d", "ResNeXt29_8x64d", "ResNeXt29_16x64d", "WideResNet50_2",
    "WideResNet101_2", "WideResNet16_8", "WideResNet28_10", "WideResNet40_4", "ResNet26",
    "ResNet200", "ResNet50C", "ResNet101C", "ResNet152C", "ResNet18D", "ResNet34D", "ResNet50D",
    "ResNet101D", "ResNet152D", "ResNet26D", "ResNet200D", "VGG11", "VGG13", "VGG16", "VGG19",
    "GoogLeNet", "PReLUNetA", "PReLUNetB", "PReLUNetC", "BNInception"
]

def ResNet18(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet18", *, shortcut: Literal["A", "B", "C", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 18-layer residual network, shortcut option B: 2+2+2+2 basic blocks."""

def ResNet34(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet34", *, shortcut: Literal["A", "B", "C", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 34-layer residual network, shortcut option B: 3+4+6+3 basic blocks."""

def ResNet50(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet50", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck blocks."""

def ResNet101(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet101", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck blocks."""

def ResNet152(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet152", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 152-layer residual network, shortcut option B: 3+8+36+3 bottleneck blocks."""

def Plain18(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "plain18", *, pool1: Literal["symmetric", "caffe", None] = None,
    stem: Literal["imagenet", "deep", None] = None, blur_pool: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, block_dropout: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 18-layer plain network: 2+2+2+2 basic blocks."""

def Plain34(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "plain34", *, pool1: Literal["symmetric", "caffe", None] = None,
    stem: Literal["imagenet", "deep", None] = None, blur_pool: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, block_dropout: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 34-layer plain network: 3+4+6+3 basic blocks."""

def ResNet20(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet20", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 20-layer residual network, shortcut option A: 3+3+3 basic blocks."""

def ResNet32(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet32", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 32-layer residual network, shortcut option A: 5+5+5 basic blocks."""

def ResNet44(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet44", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 44-layer residual network, shortcut option A: 7+7+7 basic blocks."""

def ResNet56(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet56", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 56-layer residual network, shortcut option A: 9+9+9 basic blocks."""

def ResNet110(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet110", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 110-layer residual network, shortcut option A: 18+18+18 basic blocks."""

def ResNet1202(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnet1202", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 1202-layer residual network, shortcut option A: 200+200+200 basic blocks."""

def Plain20(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_plain20", *, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 20-layer plain network: 3+3+3 basic blocks."""

def Plain32(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_plain32", *, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 32-layer plain network: 5+5+5 basic blocks."""

def Plain44(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_plain44", *, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 44-layer plain network: 7+7+7 basic blocks."""

def Plain56(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_plain56", *, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 56-layer plain network: 9+9+9 basic blocks."""

def Plain110(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_plain110", *, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, block_dropout: float = 0.0, dropout: float = 0.0,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The paper's 110-layer plain network: 18+18+18 basic blocks."""

def ResNet50V2(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet50v2", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, blur_pool: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The V2 of keras.applications, a 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck blocks."""

def ResNet101V2(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet101v2", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, blur_pool: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The V2 of keras.applications, a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck blocks."""

def ResNet152V2(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet152v2", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, blur_pool: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """The V2 of keras.applications, a 152-layer residual network, shortcut option B: 3+8+36+3 bottleneck blocks."""

def ResNeXt50_32x4d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext50_32x4d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck 32x4d blocks."""

def ResNeXt101_32x4d(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext101_32x4d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck 32x4d blocks."""

def ResNeXt101_32x8d(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext101_32x8d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck 32x8d blocks."""

def ResNeXt101_32x16d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext101_32x16d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck 32x16d blocks."""

def ResNeXt101_32x32d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext101_32x32d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck 32x32d blocks."""

def ResNeXt101_64x4d(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext101_64x4d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck 64x4d blocks."""

def ResNeXt152_32x4d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnext152_32x4d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 152-layer residual network, shortcut option B: 3+8+36+3 bottleneck 32x4d blocks."""

def ResNeXt29_8x64d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnext29_8x64d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 29-layer residual network, shortcut option B: 3+3+3 bottleneck 8x64d blocks."""

def ResNeXt29_16x64d(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_resnext29_16x64d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    zero_init_residual: bool = False, output_stride: Literal[4, 2, 1, None] = None,
    drop_path_rate: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNeXt (arXiv:1611.05431), a 29-layer residual network, shortcut option B: 3+3+3 bottleneck 16x64d blocks."""

def WideResNet50_2(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "wide_resnet50_2", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """Wide ResNet (arXiv:1605.07146), a 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck blocks."""

def WideResNet101_2(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "wide_resnet101_2", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """Wide ResNet (arXiv:1605.07146), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck blocks."""

def WideResNet16_8(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_wide_resnet16_8", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """Wide ResNet (arXiv:1605.07146), a 16-layer residual network, shortcut option B: 2+2+2 basic blocks."""

def WideResNet28_10(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_wide_resnet28_10", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """Wide ResNet (arXiv:1605.07146), a 28-layer residual network, shortcut option B: 4+4+4 basic blocks."""

def WideResNet40_4(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 10, classifier_activation: Any = "softmax",
    name: str | None = "cifar_wide_resnet40_4", *, shortcut: Literal["A", "B", "C", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    downsample: Literal["conv", "avg", None] = None, blur_pool: bool = False,
    output_stride: Literal[4, 2, 1, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """Wide ResNet (arXiv:1605.07146), a 40-layer residual network, shortcut option B: 6+6+6 basic blocks."""

def ResNet26(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet26", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """As timm has it, a 26-layer residual network, shortcut option B: 2+2+2+2 bottleneck blocks."""

def ResNet200(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet200", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """As timm has it, a 200-layer residual network, shortcut option B: 3+24+36+3 bottleneck blocks."""

def ResNet50C(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet50c", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck blocks."""

def ResNet101C(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet101c", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck blocks."""

def ResNet152C(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet152c", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 152-layer residual network, shortcut option B: 3+8+36+3 bottleneck blocks."""

def ResNet18D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet18d", *, shortcut: Literal["A", "B", "C", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 18-layer residual network, shortcut option B: 2+2+2+2 basic blocks."""

def ResNet34D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet34d", *, shortcut: Literal["A", "B", "C", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    block_dropout: float = 0.0, dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 34-layer residual network, shortcut option B: 3+4+6+3 basic blocks."""

def ResNet50D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet50d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 50-layer residual network, shortcut option B: 3+4+6+3 bottleneck blocks."""

def ResNet101D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet101d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 101-layer residual network, shortcut option B: 3+4+23+3 bottleneck blocks."""

def ResNet152D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet152d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 152-layer residual network, shortcut option B: 3+8+36+3 bottleneck blocks."""

def ResNet26D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet26d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 26-layer residual network, shortcut option B: 2+2+2+2 bottleneck blocks."""

def ResNet200D(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "resnet200d", *, shortcut: Literal["A", "B", "C", None] = None,
    stride_on: Literal["1x1", "3x3", None] = None,
    pool1: Literal["symmetric", "caffe", None] = None,
    zero_channels: Literal["end", "center", None] = None,
    stem: Literal["imagenet", "deep", None] = None, downsample: Literal["conv", "avg", None] = None,
    blur_pool: bool = False, zero_init_residual: bool = False,
    output_stride: Literal[32, 16, 8, None] = None, drop_path_rate: float = 0.0,
    dropout: float = 0.0, include_preprocessing: bool = False,
    layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """ResNet-C or -D (arXiv:1812.01187), a 200-layer residual network, shortcut option B: 3+24+36+3 bottleneck blocks."""

def VGG11(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax", name: str | None = "vgg11",
    *, include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """VGG (arXiv:1409.1556): 11 layers, 1+1+2+2+2 convolutions."""

def VGG13(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax", name: str | None = "vgg13",
    *, include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """VGG (arXiv:1409.1556): 13 layers, 2+2+2+2+2 convolutions."""

def VGG16(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax", name: str | None = "vgg16",
    *, include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """VGG (arXiv:1409.1556): 16 layers, 2+2+3+3+3 convolutions."""

def VGG19(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax", name: str | None = "vgg19",
    *, include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """VGG (arXiv:1409.1556): 19 layers, 2+2+4+4+4 convolutions."""

def GoogLeNet(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "googlenet", *, auxiliary: bool = False,
    conv1: Literal["dense", "separable", None] = None, include_preprocessing: bool = False
) -> keras.Model:
    """GoogLeNet (arXiv:1409.4842): 22 layers, 9 Inception modules."""

def PReLUNetA(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "prelu_net_a", *,
    spp: Literal["window", "proportional", "caffe", None] = None,
    include_preprocessing: bool = False
) -> keras.Model:
    """PReLU-net (arXiv:1502.01852): 19 layers, 1+5+5+5 convolutions."""

def PReLUNetB(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "prelu_net_b", *,
    spp: Literal["window", "proportional", "caffe", None] = None,
    include_preprocessing: bool = False
) -> keras.Model:
    """PReLU-net (arXiv:1502.01852): 22 layers, 1+6+6+6 convolutions."""

def PReLUNetC(
    include_top: bool = True, weights: Weights = None, input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "prelu_net_c", *,
    spp: Literal["window", "proportional", "caffe", None] = None,
    include_preprocessing: bool = False
) -> keras.Model:
    """PReLU-net (arXiv:1502.01852): 22 layers, 1+6+6+6 convolutions."""

def BNInception(
    include_top: bool = True, weights: Weights = "imagenet", input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None, pooling: Literal["avg", "max"] | None = None,
    classes: int | None = 1000, classifier_activation: Any = "softmax",
    name: str | None = "bn_inception", *, dropout: float = 0.0,
    pool_proj: Literal[96, 128, None] = None, conv1: Literal["dense", "separable", None] = None,
    include_preprocessing: bool = False, layers: Literal["fast", "keras"] = "fast"
) -> keras.Model:
    """BN-Inception (arXiv:1502.03167): 34 layers, 10 Inception modules."""

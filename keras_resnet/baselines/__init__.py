"""The systems in the paper's tables beside the ResNets: VGG, GoogLeNet, PReLU-net, BN-Inception."""

from keras_resnet.baselines.bn_inception import bn_inception
from keras_resnet.baselines.googlenet import googlenet
from keras_resnet.baselines.prelu_net import prelu_net
from keras_resnet.baselines.vgg import vgg

# By the family of a row of `keras_resnet.systems`.
BUILDERS = {
    "vgg": vgg,
    "googlenet": googlenet,
    "prelu_net": prelu_net,
    "bn_inception": bn_inception,
}

__all__ = ["BUILDERS", "bn_inception", "googlenet", "prelu_net", "vgg"]

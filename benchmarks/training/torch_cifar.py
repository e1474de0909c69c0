"""The CIFAR network of Sec. 4.2 with identity shortcuts (option A), in bare torch."""

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, channels: int, filters: int):
        super().__init__()
        self.stride = 1 if channels == filters else 2
        self.zeros = filters - channels
        self.conv_a = nn.Conv2d(channels, filters, 3, self.stride, padding=1, bias=False)
        self.bn_a = nn.BatchNorm2d(filters)
        self.conv_b = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn_b = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = functional.relu(self.bn_a(self.conv_a(x)), inplace=True)
        y = self.bn_b(self.conv_b(y))
        if self.zeros:
            x = x[:, :, :: self.stride, :: self.stride]
            x = functional.pad(x, (0, 0, 0, 0, 0, self.zeros))
        return functional.relu(y + x, inplace=True)


class CifarResNet(nn.Module):
    def __init__(self, depth: int):
        super().__init__()
        widths = [16, *(width for width in (16, 32, 64) for _ in range((depth - 2) // 6))]
        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(*map(Block, widths, widths[1:]))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.bn(self.conv(x)), inplace=True)
        return self.fc(torch.mean(self.blocks(x), (2, 3)))

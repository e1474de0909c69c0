"""Libraries whose networks are compared with ours."""

import pytest


def import_peer(name):
    """A library for comparison, also where torch has no compiled operators for torchvision."""
    torch = pytest.importorskip("torch", reason="comparing with PyTorch libraries needs torch")
    register = torch.library.register_fake

    def register_known(op, *args, **kwargs):
        known = not (isinstance(op, str) and op.startswith("torchvision::"))
        return register(op, *args, **kwargs) if known else (lambda function: function)

    torch.library.register_fake = register_known
    try:
        return pytest.importorskip(name, reason=f'{name} comes with the extra "parity"')
    finally:
        torch.library.register_fake = register

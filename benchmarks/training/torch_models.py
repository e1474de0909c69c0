"""PyTorch contenders: torchvision, timm and a bare CIFAR network, in channels_last memory.

A training step is what a user writes: forward and loss (under autocast for bfloat16), backward,
`torch.optim.SGD` with momentum. Inference is a forward pass in `inference_mode`, with all
weights in bfloat16 where that is asked for.
"""

import re
import sys

from benchmarks.training import device
from benchmarks.training.catalog import NETS, Case
from benchmarks.training.program import LEARNING_RATE, MOMENTUM, Program, batch_of


def load(case: Case) -> None:
    import torch  # noqa: F401

    device.set_threads(case)
    if case.contender != "torch":
        import_torchvision()
    if case.contender == "timm":
        import timm  # noqa: F401


def import_torchvision() -> None:
    """Imports torchvision, also where its compiled operators do not load.

    The wheels of the package index are built against CUDA. Beside a CPU build of torch their
    library does not load, and torchvision stops at the first operator it cannot find. The
    classification networks need none of them: each that is missed is declared, without a kernel.
    """
    import torch

    while True:
        try:
            import torchvision  # noqa: F401

            return
        except RuntimeError as error:
            absent = re.search(r"operator torchvision::(\w+) does not exist", str(error))
            if not absent:
                raise
            for module in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
                del sys.modules[module]
            declared = torch.library.Library("torchvision", "FRAGMENT")
            declared.define(f"{absent[1]}(Tensor x) -> Tensor")
            _declarations.append(declared)


_declarations: list = []  # a library takes its operators with it when it is collected


def network(case: Case):
    """An untrained module that returns logits."""
    if case.contender == "torch":
        from benchmarks.training.torch_cifar import CifarResNet

        return CifarResNet(int(case.net.removeprefix("cifar_resnet")))
    if case.contender == "timm":
        import timm

        return timm.create_model(NETS[case.net].build)
    import torchvision

    return getattr(torchvision.models, NETS[case.net].build)()


def program(case: Case, model) -> Program:
    import torch

    place = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(place, memory_format=torch.channels_last)
    images, labels = (torch.from_numpy(array).to(place) for array in batch_of(case))
    # The same layout in memory as (batch, height, width, channels).
    images = images.permute(0, 3, 1, 2)
    step = {"train": trainer, "infer": predictor}[case.mode](case, model, images, labels.long())
    return Program(step, device.waiter("torch"))


def compiled(case: Case, model):
    import torch

    return torch.compile(model) if case.contender == "torchvision-compiled" else model


def trainer(case, model, images, labels):
    import torch

    model.train()
    forward = compiled(case, model)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, momentum=MOMENTUM)
    half = case.dtype == "bfloat16"

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            loss = torch.nn.functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def predictor(case, model, images, labels):
    import torch

    dtype = getattr(torch, case.dtype)
    forward = compiled(case, model.eval().to(dtype))
    images = images.to(dtype)

    def step():
        with torch.inference_mode():
            return forward(images)

    return step

"""PyTorch: how a batch is moved to the device."""

from typing import Any

import torch


class Transfer:
    """Copies to the current CUDA device during its computations, or shares memory without CUDA."""

    def __init__(self):
        self.asynchronous = torch.cuda.is_available()
        self.stream: Any = torch.cuda.Stream() if self.asynchronous else None

    def start(self, batch: tuple) -> tuple[tuple, Any]:
        """Tensors, and the event after which they are complete."""
        if not self.asynchronous:
            # torch warns of memory that cannot be written to.
            arrays = (array if array.flags.writeable else array.copy() for array in batch)
            return tuple(map(torch.from_numpy, arrays)), None
        pinned = []
        for array in batch:
            # The caching allocator reuses pinned memory only after its copy has ended.
            page = torch.empty(array.shape, dtype=getattr(torch, str(array.dtype)), pin_memory=True)
            page.numpy()[...] = array
            pinned.append(page)
        with torch.cuda.stream(self.stream):
            tensors = tuple(page.to("cuda", non_blocking=True) for page in pinned)
            return tensors, self.stream.record_event()

    def finish(self, started: tuple[tuple, Any]) -> tuple:
        """Makes the computing stream, not the processor, wait for the copy."""
        tensors, event = started
        if event is not None:
            current = torch.cuda.current_stream()
            current.wait_event(event)
            for tensor in tensors:
                tensor.record_stream(current)
        return tensors

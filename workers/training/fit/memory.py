"""Out of memory: how it is told from a bug, and what is given back before the next try."""

import gc

import torch

# What torch, its allocators and CUDA's libraries say. RuntimeError is all they have in common.
SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def out_of_memory(fault: BaseException) -> bool:
    if isinstance(fault, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(fault, RuntimeError) and any(sign in str(fault).lower() for sign in SIGNS)


def give_back() -> None:
    """Call after the fault is forgotten: its traceback holds the tensors that did not fit."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()

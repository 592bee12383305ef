"""Keep torch's compiler out of a process that never compiles: 5 s of its first run, and over 100 MB for as long as it lives.

torch wraps the optimizer's methods so that the compiler passes them by, and imports the compiler to do so. Two wrappers
ask for it: one looks for a method already made first, and we make it the method itself; the other only switches
gradients off around `step`, which `no_grad` does as well. Where a later torch wraps differently, or the compiler is
loaded already, this does nothing.
"""

import sys

import torch
from torch.optim import Adam, Optimizer

WRAPPED = ("add_param_group", "zero_grad", "load_state_dict", "state_dict")
STEP = "_use_grad_for_differentiable"


def keep_dynamo_out() -> None:
    """Call once, before the first optimizer is made."""
    if "torch._dynamo" in sys.modules:
        return
    for name in WRAPPED:
        method = getattr(getattr(Optimizer, name, None), "__wrapped__", None)
        if method is not None and not hasattr(method, "__dynamo_disable"):
            method.__dynamo_disable = method
    step = getattr(Adam.step, "__wrapped__", None)
    if step is not None and Adam.step.__code__.co_qualname.startswith(STEP):
        Adam.step = torch.no_grad()(step)  # type: ignore[method-assign]  # AdamW inherits it

"""Probabilities for a pool too long for memory, chunk by chunk, and the votes of an ensemble made of one network."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Rows
from workers.training.models.networks import Network, TextHead

CHUNK = 4096  # rows; 6 MB of float32, which stays in the processor's cache between conversion and product
PLAIN_SHARE = 0.2  # of the head's inputs, dropped where a network has no dropout of its own
Floats = NDArray[np.float32]


class VectorScorer:
    """What a text model says of vectors. One float32 buffer serves all chunks; the pool is never converted as a whole."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.logits = bundle, _logits(bundle)
        self._buffer = torch.empty(0, 0)

    @torch.inference_mode()
    def __call__(self, vectors: NDArray[np.float16]) -> Floats:
        """(n, dim) -> (n, classes), each class contiguous in memory: what follows reads class by class."""
        found = self.bundle.learner.outputs.probabilities(self.logits(self.converted(vectors)), 0)
        return np.asarray(found.numpy().T)

    def converted(self, vectors: NDArray[np.float16]) -> Tensor:
        """The rows as float32, in the buffer that the next call overwrites."""
        if self._buffer.shape[0] < len(vectors) or self._buffer.shape[1] != vectors.shape[1]:
            self._buffer = torch.empty(max(len(vectors), CHUNK), vectors.shape[1])
        x = self._buffer[: len(vectors)]
        x.copy_(_shared(vectors))
        return x


class Voters:
    """Members of an ensemble by dropout (Gal and Ghahramani 2016), each with one mask for all rows.

    A mask drawn anew for each row would depend on how the pool is cut; with a fixed one, parts scored on two machines
    agree with one scoring of the whole.
    """

    def __init__(self, bundle: Bundle, *, members: int, seed: int) -> None:
        self.bundle = bundle
        self._modules = [_masked(bundle.module, seed * 1009 + member) for member in range(members)]

    @torch.inference_mode()
    def __call__(self, rows: Rows) -> Floats:
        """(members, n, classes)."""
        x = self.bundle.preprocessor.tensor(rows)
        probabilities = self.bundle.learner.outputs.probabilities
        found = [probabilities(module(x) / self.bundle.temperature, 1).numpy() for module in self._modules]
        return np.stack(found)


def votes(bundle: Bundle, rows: Rows, *, members: int, seed: int) -> Floats:
    """(members, n, classes): what each member says of the rows; the same for the same seed."""
    return Voters(bundle, members=members, seed=seed)(rows)


def _logits(bundle: Bundle) -> Callable[[Tensor], Tensor]:
    """(n, dim) -> (classes, n), divided by the temperature. A linear model becomes one product."""
    module = bundle.module.eval()
    if isinstance(module, TextHead) and isinstance(module.body, nn.Identity):
        weight = (module.head.weight.detach() * (module.scale / bundle.temperature)).contiguous()
        bias = (module.head.bias.detach() / bundle.temperature)[:, None]
        return lambda x: torch.addmm(bias, weight, x.T)
    return lambda x: (module(x) / bundle.temperature).T.contiguous()


def _shared(vectors: NDArray[np.float16]) -> Tensor:
    """The same memory as a tensor. Mapped pages are read-only, which torch would warn of; nobody writes here."""
    return torch.from_numpy(vectors if vectors.flags.writeable else np.asarray(_Writable(vectors)))


class _Writable:
    """An array's memory under an interface that does not say read-only."""

    def __init__(self, array: NDArray[np.float16]) -> None:
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def _masked(module: Network, seed: int) -> Network:
    """A copy in which each dropout layer has one fixed mask. The original may serve another thread meanwhile."""
    copied, generator = copy.deepcopy(module).eval(), torch.Generator().manual_seed(seed)
    dropped = [m for m in copied.modules() if isinstance(m, nn.Dropout) and m.p > 0]
    for layer in dropped:
        layer.register_forward_hook(_Mask(layer.p, generator).after)
    if not dropped:
        copied.head.register_forward_pre_hook(_Mask(PLAIN_SHARE, generator).before)
    return copied


class _Mask:
    """Drawn when the width is first seen, then the same for every row."""

    def __init__(self, share: float, generator: torch.Generator) -> None:
        self.share, self.generator, self.mask = share, generator, torch.empty(0)

    def of(self, x: Tensor) -> Tensor:
        if not len(self.mask):
            keep = torch.full(x.shape[1:], 1 - self.share)
            self.mask = torch.bernoulli(keep, generator=self.generator) / (1 - self.share)
        return x * self.mask

    def after(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return self.of(output)

    def before(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        return (self.of(inputs[0]),)

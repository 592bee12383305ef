"""What a fine-tune did with its device: tokens a second, memory, and the share of what the chip could compute."""

import resource
import sys

import torch

# Dense bfloat16 operations a second, from the makers' data sheets; the first name that a device's contains counts.
PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L40": 181e12,
    "A40": 150e12,
    "A10": 125e12,
    "RTX 4090": 165e12,
    "L4": 121e12,
}
PER_WEIGHT = 6  # operations a token: two forward, four backward (Kaplan et al. 2020)


def peak_of(device: str) -> float | None:
    """
    >>> peak_of("NVIDIA H100 80GB HBM3"), peak_of("NVIDIA L40S"), peak_of("CPU, 2 threads")
    (989000000000000.0, 362000000000000.0, None)
    """
    return next((peak for name, peak in PEAKS.items() if name in device), None)


def peak_share(tokens_per_s: float, weights: int, device: str, processes: int) -> float | None:
    """
    >>> peak_share(1e6, 10_000_000, "NVIDIA A100-SXM4-80GB", 1)
    0.1923
    """
    peak = peak_of(device)
    return None if peak is None else round(PER_WEIGHT * weights * tokens_per_s / (peak * processes), 4)


def peak_memory_mb(device: torch.device) -> float:
    """On the GPU, else of the process, since it began."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(held / 1e6 if sys.platform == "darwin" else held / 1e3, 1)

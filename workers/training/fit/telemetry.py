"""How busy the device is and what it holds, asked once a report."""

import contextlib
import os

import psutil
import torch

BYTES_PER_MB = 1e6


class DeviceUse:
    """Of the processor the share is this process's own, of all cores, since it was asked last; of a GPU the driver's."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.cores = device, os.cpu_count() or 1
        self.process = psutil.Process()
        self.process.cpu_percent()  # the first call only starts its clock
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def percent(self) -> float | None:
        """From 0 to 100; None where the driver does not tell."""
        if self.device.type != "cuda":
            return min(100.0, float(self.process.cpu_percent()) / self.cores)
        with contextlib.suppress(Exception):  # without the driver's library; a figure to look at, nothing rests on it
            return float(torch.cuda.utilization(self.device))
        return None

    def memory_mb(self) -> float:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / BYTES_PER_MB
        return float(self.process.memory_info().rss) / BYTES_PER_MB

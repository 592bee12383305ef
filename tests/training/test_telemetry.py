import os
import time

import psutil
import torch

from tests.training.recipes import recipe_for
from tests.training.samples import clouds
from workers.training.fit.loop import TrainingReport, fit
from workers.training.fit.telemetry import DeviceUse
from workers.training.packages import installed


def test_a_busy_core_is_its_share_of_all_cores():
    use, until = DeviceUse(torch.device("cpu")), time.monotonic() + 0.3
    while time.monotonic() < until:
        pass
    busy = use.percent()
    time.sleep(0.3)
    assert busy > 3 * use.percent()
    assert busy <= 100


def test_memory_is_what_the_process_holds():
    held = DeviceUse(torch.device("cpu")).memory_mb()
    assert abs(held - psutil.Process(os.getpid()).memory_info().rss / 1e6) < 50
    assert held > 100


def test_each_report_tells_how_busy_the_device_is():
    reports: list[TrainingReport] = []
    recipe = recipe_for("text-classification", hidden=16, epochs=2, least_steps=0, report_every_s=0.0)
    fit(*clouds(200), ("a", "b", "c"), recipe, on_report=reports.append)
    assert all(report.memory_mb > 100 and 0 <= report.device_percent <= 100 for report in reports)


def test_the_packages_that_decide_the_weights_are_told_with_their_versions():
    found = installed()
    of_the_wheel = found["torch"].partition("+")[0]  # which processor it is for stands in one of the two only
    assert of_the_wheel == torch.__version__.partition("+")[0]
    assert {"python", "numpy", "safetensors", "transformers", "peft", "vowpalwabbit", "scikit-learn"} <= set(found)

"""The interpreter lives, whatever is passed in: fuzz_child.py in processes of its own."""

import os
import pathlib
import subprocess
import sys

import pytest

CHILD = pathlib.Path(__file__).with_name("fuzz_child.py")


@pytest.mark.parametrize("seed", [int(text) for text in os.environ.get("APUS_FUZZ_SEEDS", "1 2 3 4 5 6").split()])
def test_absurd_arguments(seed, tmp_path):
    log = tmp_path / "last call"
    environment = {**os.environ, "APUS_FUZZ_LOG": str(log), "APUS_MEMORY_LIMIT": "1073741824"}
    result = subprocess.run(
        [sys.executable, str(CHILD), str(seed), "1"], capture_output=True, text=True, errors="replace", timeout=600, env=environment)
    assert result.returncode == 0 and result.stdout.endswith("alive\n"), f"{log.read_text()}\n{result.stderr[-2000:]}"

"""The examples run and reach what they promise."""

import pathlib
import re
import subprocess
import sys

import pytest

import apus

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"


def run(name, *arguments):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def share(output):
    return float(re.findall(r"([\d.]+) % right", output)[-1])


def test_xor():
    output = run("xor.py")
    assert "answers [0, 1, 1, 0]" in output and float(re.search(r"loss ([\d.]+)", output)[1]) < 0.02


def test_the_network_of_the_first_document(tmp_path):
    assert share(run("mnist_cnn.py", "2", "500", str(tmp_path))) > 90
    state = apus.load(tmp_path / "model_epoch_0.pth")
    assert state["0.weight"].shape == (32, 1, 3, 3)


def test_the_network_of_the_second_document():
    assert share(run("my_model.py")) > 90


def test_the_notebook(tmp_path):
    nbformat, client = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel"), pytest.importorskip("matplotlib")
    notebook = nbformat.read(EXAMPLES / "mnist_cnn.ipynb", as_version=4)
    client.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "\n" * 3 not in text

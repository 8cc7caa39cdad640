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


def test_newton():
    slopes = [float(slope) for slope in re.findall(r"slope (\S+)", run("newton.py"))]
    assert len(slopes) == 6 and slopes[-1] < 1e-12 and all(later < earlier for earlier, later in zip(slopes, slopes[1:]))


def test_function():
    output = run("function.py")
    assert "agrees with differences: True" in output
    assert [abs(float(x)) for x in re.search(r"whole weights: \[(.*)\]", output)[1].split(",")] == [3, 2, 0, 5]


def test_dataset():
    output = run("dataset.py")
    assert share(output) > 99 and "2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]" in output


def test_optimizer():
    sgd, rprop = re.findall(r"(\d+) steps", run("optimizer.py"))
    assert int(sgd) > 100 * int(rprop)


def test_grad_cam():
    output = run("grad_cam.py")
    assert share(output) > 98 and float(re.search(r"in ([\d.]+) % of the pictures", output)[1]) > 95


def test_from_pytorch():
    pytest.importorskip("torch")
    there, back = re.findall(r"(\d\.\de[+-]\d+)", run("from_pytorch.py"))
    assert float(there) < 1e-5 and float(back) < 1e-5


def test_text(tmp_path):
    assert "172 of 172 letters by heart" in run("text.py")
    own = tmp_path / "own.txt"
    own.write_text("ab" * 100)
    assert run("text.py", str(own)).startswith("abababab")


def test_the_notebook(tmp_path):
    nbformat, client = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel"), pytest.importorskip("matplotlib")
    notebook = nbformat.read(EXAMPLES / "mnist_cnn.ipynb", as_version=4)
    client.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "\n" * 3 not in text

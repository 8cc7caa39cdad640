"""Files that NumPy and PyTorch have written, as base64 in Swift: Tests/ApusFormatsTests/ClientFiles.swift.

    python Tests/Golden/make_formats_golden.py > Tests/ApusFormatsTests/ClientFiles.swift

Written with PyTorch 2.13 and NumPy 2.4. A PyTorch file carries no random bytes that a reader looks at, so another run gives equal tests.
"""

import base64
import collections
import io
import zipfile

import numpy as np
import torch

FILES = []


def add(name, comment, data):
    FILES.append((name, comment, data))


def npy(array, **options):
    file = io.BytesIO()
    if options:
        np.lib.format.write_array(file, array, **options)
    else:
        np.save(file, array)
    return file.getvalue()


def npz(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def pth(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


x = np.arange(6, dtype=np.float32).reshape(2, 3)
add("npyFloat32", "np.save(f, np.arange(6, dtype=np.float32).reshape(2, 3))", npy(x))
add("npyFortran", "np.save(f, np.asfortranarray(np.arange(6.0).reshape(2, 3)))", npy(np.asfortranarray(x.astype(np.float64))))
add("npyBigEndian", "np.save(f, np.array([-2, 258], '>i4'))", npy(np.array([-2, 258], ">i4")))
add("npyScalar", "np.save(f, np.array(True))", npy(np.array(True)))
add("npyEmpty", "np.save(f, np.zeros((3, 0), np.float16))", npy(np.zeros((3, 0), np.float16)))
add("npyVersion2", "write_array(f, np.array([1, 2], np.uint8), version=(2, 0))", npy(np.array([1, 2], np.uint8), version=(2, 0)))
add("npyVersion3", "write_array(f, np.array([1, 2], np.int16), version=(3, 0))", npy(np.array([1, 2], np.int16), version=(3, 0)))
add("npyRecords", "np.save(f, np.zeros(2, [('a', 'f4')]))", npy(np.zeros(2, [("a", "f4")])))
add("npyObjects", "np.save(f, np.array([None], object), allow_pickle=True)", npy(np.array([None], object)))
add("npyUnsigned", "np.save(f, np.array([1], np.uint32))", npy(np.array([1], np.uint32)))
arrays = dict(a=np.arange(3), b=np.full((2, 2), 0.5, np.float32))
add("npzStored", "np.savez(f, a=np.arange(3), b=np.full((2, 2), 0.5, np.float32))", npz(np.savez, **arrays))
add("npzDeflated", "np.savez_compressed(f, ...) of the same", npz(np.savez_compressed, **arrays))

# A directory and an end record in zip64 form, as an archive of more than 4 GiB has them.
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 8, 0
file = io.BytesIO()
with zipfile.ZipFile(file, "w") as archive:
    for name in arrays:
        archive.writestr(zipfile.ZipInfo(name + ".npy"), npy(arrays[name]))
add("npzZip64", "zipfile with ZIP64_LIMIT = 8 and ZIP_FILECOUNT_LIMIT = 0, of the same", file.getvalue())

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
with torch.no_grad():
    for i, value in enumerate(model.state_dict().values()):
        value.fill_(i + 1)
add("pthStateDictionary", "nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)).state_dict(), the i-th filled with i + 1", pth(model.state_dict()))

base = torch.arange(6, dtype=torch.float32)
add(
    "pthShared",
    "b = torch.arange(6.0); [b, b.view(2, 3).t(), b[4:], torch.ones(1).expand(2, 2)]",
    pth([base, base.view(2, 3).t(), base[4:], torch.ones(1).expand(2, 2)]),
)
dtypes = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool,
]
torch.utils.serialization.config.save.storage_alignment = 8
add("pthDTypes", "{str(d): torch.tensor([0, 1], dtype=d) for d in all dtypes of Apus}", pth({str(d): torch.tensor([0, 1], dtype=d) for d in dtypes}))
checkpoint = {
    "model": collections.OrderedDict(w=torch.nn.Parameter(torch.tensor([[1.5]])), none=torch.zeros(0, 3)),
    "epoch": 7, "lr": 0.25, "name": "näme", "big": -(10**20), "ok": True, "nothing": None,
    "betas": (0.5, 0.75), "list": [1, -300, 70000, 2**40], "size": torch.Size([2, 3]), "dtype": torch.float16,
    "device": torch.device("cpu"), "set": {5}, "bytes": b"\x00\xff", "complex": 1 + 2j, 3: "three",
    "counter": collections.Counter({8: 1}),
}
for protocol in (2, 5):
    add(f"pthProtocol{protocol}", f"a checkpoint of all kinds of values, pickle_protocol={protocol}", pth(checkpoint, pickle_protocol=protocol))
add("pthTensor", "torch.save(torch.tensor(2.5), f)", pth(torch.tensor(2.5)))
add("pthLegacy", "torch.save(torch.tensor(2.5), f, _use_new_zipfile_serialization=False)", pth(torch.tensor(2.5), _use_new_zipfile_serialization=False))
add("pthUnsigned", "torch.save(torch.tensor([1], dtype=torch.uint16), f)", pth(torch.tensor([1], dtype=torch.uint16)))
add("pthComplex", "torch.save(torch.tensor([1j]), f)", pth(torch.tensor([1j])))
add("pthFunction", "torch.save(print, f)", pth(print))
file = io.BytesIO()
torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.ones(1)), file)
# Only the names of its entries matter here.
names = zipfile.ZipFile(file).namelist()
short = io.BytesIO()
with zipfile.ZipFile(short, "w") as archive:
    for name in names:
        archive.writestr(zipfile.ZipInfo(name), b"")
add("pthScript", "torch.jit.save(...): the names of its entries", short.getvalue())

print("// Made by Tests/Golden/make_formats_golden.py.\n")
print("/// Files as NumPy and PyTorch write them.")
print("enum ClientFiles {")
for i, (name, comment, data) in enumerate(FILES):
    print(f"  // {comment}"[:130])
    text = base64.b64encode(data).decode()
    lines = [text[i : i + 120] for i in range(0, len(text), 120)]
    print(f'  static let {name} = """')
    for j, line in enumerate(lines):
        print(f"    {line}" + ("\\" if j < len(lines) - 1 else ""))
    print('    """' + ("" if i == len(FILES) - 1 else "\n"))
print("}")

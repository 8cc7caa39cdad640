"""A network that PyTorch made, in Apus, and back: by a file, and by shared memory. Without PyTorch at hand it says so and ends."""

import tempfile

import apus
from apus import nn

try:
    import torch
except ImportError:
    raise SystemExit("from_pytorch.py needs the package torch")

torch.manual_seed(0)
theirs = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.LayerNorm(16), torch.nn.Linear(16, 3))
ours = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 3))

# The same names, so a state dictionary fits as it is.
with tempfile.TemporaryDirectory() as folder:
    torch.save(theirs.state_dict(), f"{folder}/model.pth")
    ours.load_state_dict(apus.load(f"{folder}/model.pth"))
    x = torch.randn(4, 8)
    # DLPack: no number is copied.
    same = torch.from_dlpack(ours(apus.from_dlpack(x)).detach())
    print(f"largest difference {(same - theirs(x)).abs().max().item():.1e}")

    with apus.no_grad():
        ours[0].weight.mul_(2)
    apus.save(ours.state_dict(), f"{folder}/back.pth")
    theirs.load_state_dict(torch.load(f"{folder}/back.pth", weights_only=True))
    print(f"and back {(torch.from_dlpack(ours(apus.from_dlpack(x)).detach()) - theirs(x)).abs().max().item():.1e}")

"""Where does a network look? Grad-CAM (Selvaraju et al. 2017) with hooks, on a network that is not changed for it.

A forward hook keeps what the last convolution gives out, and a hook on that tensor its gradient. Maps weighted by their gradients are bright where the
evidence for the answer lies. The pictures are bright squares and crosses somewhere in noise; nobody tells the network where.
"""

import apus
from apus import nn, optim

apus.manual_seed(0)
SHAPES = apus.tensor([
    [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
    [[1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]],
]).float()


def scenes(count):
    pictures, labels = 0.4 * apus.rand(count, 1, 20, 20), apus.randint(0, 2, (count,))
    rows, columns = apus.randint(0, 16, (count,)).tolist(), apus.randint(0, 16, (count,)).tolist()
    for i, (row, column) in enumerate(zip(rows, columns)):
        pictures[i, 0, row:row + 5, column:column + 5] += SHAPES[labels[i]]
    return pictures, labels, list(zip(rows, columns))


model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
    nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(16, 2),
)
optimizer = optim.Adam(model.parameters(), lr=3e-3)
pictures, labels, _ = scenes(1000)
for epoch in range(6):
    for order in apus.randperm(1000).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pictures[order]), labels[order]).backward()
        optimizer.step()
model.eval()

kept = {}


def keep(module, inputs, output):
    kept["maps"] = output
    output.register_hook(lambda gradient: kept.update(gradient=gradient))


handle = model[5].register_forward_hook(keep)
pictures, labels, corners = scenes(200)
answers = model(pictures)
answers.amax(1).sum().backward()
handle.remove()

heat = (kept["gradient"].mean((2, 3), keepdim=True) * kept["maps"]).sum(1).relu()
peaks = heat.flatten(1).argmax(1).tolist()
inside = sum(r - 1 <= peak // 20 <= r + 5 and c - 1 <= peak % 20 <= c + 5 for peak, (r, c) in zip(peaks, corners))
print(f"{100 * (answers.argmax(1) == labels).float().mean().item():.1f} % right")
print(f"the brightest place lies on the figure in {inside / 2:.1f} % of the pictures")

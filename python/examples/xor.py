"""XOR: the smallest thing that a network can learn and a line cannot."""

import apus
from apus import nn, optim

apus.manual_seed(1)
x = apus.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = apus.tensor([[0.0], [1.0], [1.0], [0.0]])
model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
optimizer = optim.Adam(model.parameters(), lr=0.05)
criterion = nn.MSELoss()

for step in range(500):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()

print(f"loss {loss.item():.4f}")
print("answers", [round(value) for value in model(x).flatten().tolist()])

"""A network of one's own, in the words of a teaching framework of another name; what its document left out (the data) is added."""

import apus as rim
import apus.nn as nn
import apus.optim as optim


# モデル定義
class MyModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(784, 128)
        self.relu = nn.ReLU()
        self.layer2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.layer1(x)
        x = self.relu(x)
        x = self.layer2(x)
        return x


# Points around ten centres: a stand-in for a real data set, which needs no files.
rim.manual_seed(0)
centres = rim.randn(10, 784)
y = rim.randint(0, 10, (500,))
x = centres[y] + rim.randn(500, 784) * 2

# 訓練ループ
model = MyModel()
optimizer = optim.Adam(model.parameters(), lr=0.001)
criterion = nn.CrossEntropyLoss()

for epoch in range(10):
    # 前向き計算
    output = model(x)
    loss = criterion(output, y)

    # 逆伝播
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

right = (model(x).argmax(1) == y).float().mean().item()
print(f"loss {loss.item():.3f}, {100 * right:.1f} % right")

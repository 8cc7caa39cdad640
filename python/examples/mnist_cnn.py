"""A convolutional network on pictures of ten kinds, in the words of a teaching framework of another name.

The program from the import to the training loop is a document's of such a framework, which planned it; what it left out (the model object, the
data) is added.
"""

import sys

import apus as rustorch


def digits(count, seed):
    """Pictures [count, 1, 28, 28] of two strokes and their classes as one-hot vectors: a stand-in for a real data set, which needs no files."""
    rustorch.manual_seed(seed)
    labels = rustorch.randint(0, 10, (count,))
    pictures = rustorch.randn(count, 1, 28, 28) * 0.3
    for digit in range(10):
        chosen = (labels == digit).float().view(count, 1, 1, 1)
        stroke = rustorch.zeros(1, 1, 28, 28)
        stroke[0, 0, 2 + 2 * digit : 6 + 2 * digit, 4:24] = 1.0
        stroke[0, 0, 4:24, 22 - 2 * digit : 26 - 2 * digit] = 1.0
        pictures = pictures + chosen * stroke
    return pictures, rustorch.nn.functional.one_hot(labels, 10).float()


# CNN モデル構築
conv1 = rustorch.Conv2d(1, 32, kernel_size=3, padding=1)
bn1 = rustorch.BatchNorm2d(32)
relu1 = rustorch.ReLU()
pool1 = rustorch.MaxPool2d(kernel_size=2)
dropout1 = rustorch.Dropout(0.25)

conv2 = rustorch.Conv2d(32, 64, kernel_size=3, padding=1)
bn2 = rustorch.BatchNorm2d(64)
relu2 = rustorch.ReLU()
pool2 = rustorch.MaxPool2d(kernel_size=2)
dropout2 = rustorch.Dropout(0.25)

# 全結合層
flatten = rustorch.Flatten()
linear1 = rustorch.Linear(64 * 7 * 7, 128)
bn3 = rustorch.BatchNorm1d(128)
relu3 = rustorch.ReLU()
dropout3 = rustorch.Dropout(0.5)
linear2 = rustorch.Linear(128, 10)

# The model object: what `parameters`, `train`, `eval` and `state_dict` are asked of.
model = rustorch.Sequential(
    conv1, bn1, relu1, pool1, dropout1, conv2, bn2, relu2, pool2, dropout2, flatten, linear1, bn3, relu3, dropout3, linear2)


# 順伝播パイプライン
def forward(x):
    x = pool1(relu1(bn1(conv1(x))))
    x = dropout1(x)
    x = pool2(relu2(bn2(conv2(x))))
    x = dropout2(x)
    x = flatten(x)
    x = dropout3(relu3(bn3(linear1(x))))
    x = linear2(x)
    return x


# 損失関数とオプティマイザー
criterion = rustorch.CrossEntropyLoss()
optimizer = rustorch.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999))

epochs, count = (int(argument) for argument in (sys.argv[1:3] if len(sys.argv) > 2 else ("3", "1000")))
X, y = digits(count, seed=1)
X, y = rustorch.Variable(X, requires_grad=False), rustorch.Variable(y, requires_grad=False)
X_test, y_test = digits(200, seed=2)
train_loader = rustorch.utils.data.DataLoader(rustorch.utils.data.TensorDataset(X, y), batch_size=50, shuffle=True, generator=0)

# 高度なトレーニングループ
for epoch in range(epochs):
    model.train()  # Training mode

    for batch_idx, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        output = forward(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()

    model.eval()  # Evaluation mode
    with rustorch.no_grad():
        right = (forward(X_test).argmax(1) == y_test.argmax(1)).float().mean().item()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}, {100 * right:.1f} % right")

    # モデル保存
    if epoch % 10 == 0 and len(sys.argv) > 3:
        rustorch.save(model.state_dict(), f"{sys.argv[3]}/model_epoch_{epoch}.pth")

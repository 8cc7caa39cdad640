"""A data set of your own: `__len__` and `__getitem__`, and the loader does the rest, padding included.

Each sample is a row of digits of its own length; the target is their sum. `collate` makes a batch of rows that differ in length, by padding and a mask.
"""

import apus
from apus import nn, optim
from apus.utils.data import DataLoader, Dataset, random_split


class Sums(Dataset):
    def __init__(self, count, seed):
        self.count, self.seed = count, seed

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        # A sample depends on its index alone, so it does not matter who makes it, and when.
        number = (index * 2654435761 + self.seed) % 2**32
        digits = [int(d) for d in str(number)[: 1 + number % 6]]
        return digits, float(sum(digits))


def collate(samples):
    longest = max(len(digits) for digits, _ in samples)
    rows = apus.tensor([digits + [0] * (longest - len(digits)) for digits, _ in samples])
    mask = apus.tensor([[1.0] * len(digits) + [0.0] * (longest - len(digits)) for digits, _ in samples])
    return rows, mask, apus.tensor([target for _, target in samples])


class SumOfDigits(nn.Module):
    """Learns what each digit is worth, from sums alone."""

    def __init__(self):
        super().__init__()
        self.worth = nn.Embedding(10, 1)

    def forward(self, rows, mask):
        return (self.worth(rows).squeeze(-1) * mask).sum(1)


apus.manual_seed(0)
train, test = random_split(Sums(2000, seed=1), [1600, 400])
loader = DataLoader(train, batch_size=50, shuffle=True, collate_fn=collate)
model = SumOfDigits()
optimizer = optim.Adam(model.parameters(), lr=0.1)
for _ in range(12):
    for rows, mask, target in loader:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(rows, mask), target).backward()
        optimizer.step()

rows, mask, target = collate([test[i] for i in range(len(test))])
right = (model(rows, mask).round() == target).float().mean().item()
print("a batch:", list(rows.shape), "of rows up to", rows.shape[1], "digits")
print("worth of the digits:", [round(value, 1) for value in model.worth.weight.flatten().tolist()])
print(f"{100 * right:.1f} % right")

"""A character model that learns a few lines by heart, and writes: an LSTM, its state, and sampling.

`python text.py FILE` learns from a text of yours instead and writes in its style.
"""

import sys

import apus
from apus import nn, optim

LINES = """the wind came over the hill in the night,
it knocked at the door and it put out the light,
it carried the leaves to the end of the lane,
and nobody heard it go over again.
"""

apus.manual_seed(0)
text = open(sys.argv[1], encoding="utf-8").read()[:200_000] if len(sys.argv) > 1 else LINES
letters = sorted(set(text))
ids = apus.tensor([letters.index(letter) for letter in text])


class Writer(nn.Module):
    def __init__(self, letters, width=96):
        super().__init__()
        self.letters = nn.Embedding(letters, 32)
        self.lstm = nn.LSTM(32, width, batch_first=True)
        self.next = nn.Linear(width, letters)

    def forward(self, ids, state=None):
        y, state = self.lstm(self.letters(ids), state)
        return self.next(y), state


model = Writer(len(letters))
optimizer = optim.Adam(model.parameters(), lr=5e-3)
length = min(160, len(ids) - 1)
for step in range(120):
    start = int(apus.randint(0, len(ids) - length, (1,)))
    piece = ids[start:start + length + 1]
    logits, _ = model(piece[:-1].unsqueeze(0))
    loss = nn.functional.cross_entropy(logits[0], piece[1:])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def write(count, temperature):
    """Begins with the first letter; the state carries what was written."""
    written, state = [int(ids[0])], None
    with apus.no_grad():
        for _ in range(count):
            logits, state = model(apus.tensor([[written[-1]]]), state)
            if temperature == 0:
                written.append(int(logits[0, -1].argmax()))
            else:
                written.append(int(apus.multinomial((logits[0, -1] / temperature).softmax(0), 1)))
    return "".join(letters[i] for i in written)


print(write(len(LINES) - 1, temperature=0))
right = sum(a == b for a, b in zip(write(len(LINES) - 1, temperature=0), LINES))
print(f"loss {loss.item():.3f}; {right} of {len(LINES)} letters by heart")

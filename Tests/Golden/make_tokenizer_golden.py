"""Expected values from Hugging Face's tokenizers for byte-pair encoding.

Run by hand, with the package tokenizers (0.22):  python3 Tests/Golden/make_tokenizer_golden.py
Writes Tests/ApusDataTests/Golden/: tokenizer.json (trained on corpus.txt, as the package saves it) and tokenizing.json (texts and their
tokens).
"""

import json
import pathlib

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusDataTests" / "Golden"

CORPUS = """The swift is a small bird that spends almost all of its life in the air. It eats, drinks, sleeps and even mates on the wing.
Swifts can't perch; they cling to walls and cliffs with their short legs. They've been known to fly 10,000 kilometres, and it's said
that a young swift doesn't land for two or three years after it has left the nest. We'll never know what the swift thinks; I'd guess
that it isn't much. In 1912 a swift's speed was measured at 111.6 km/h, and in 2009 the fastest was seen, at night, in Sweden.
Der Mauersegler fliegt über die Dächer. 雨燕是一种小鸟。 Стриж — птица. ½ + ¼ = ¾; x² ≥ 0.
    def fly(self, height):
        return self.wings * height  # not how it works
"""

TEXTS = [
    "",
    " ",
    "The swift thinks.",
    CORPUS,
    "  two spaces,\n\n and  a line\t\tbreak \n",
    "it's they'll we've I'M don't 'tis ''s o'clock",
    "abc123def 4567 ٣٤ Ⅷ ½",
    "naïve café — “quotes” … €5",
    "雨燕是一种小鸟 🐦‍⬛👩🏽‍🚀 e\u0301",
    "a\u00a0b\u2003c\u3000 d\u200be",
    "<|end|>swift<|end|> <|endoftext|> <|end",
    "aaaaaaaaaaaaa the the thethe",
    "\u0000\u0001\x7f\r\n",
    "trailing   ",
    "!!!??? ...'re 's's",
]

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=420,
    min_frequency=2,
    special_tokens=["<|end|>", "<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator([CORPUS], trainer)
FOLDER.mkdir(exist_ok=True)
tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
(FOLDER / "corpus.txt").write_text(CORPUS)
cases = []
for text in TEXTS:
    ids = tokenizer.encode(text).ids
    words = [w for w, _ in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
    cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False), "words": len(words)})
(FOLDER / "tokenizing.json").write_text(
    json.dumps({"torch": f"tokenizers {tokenizers.__version__}", "cases": cases}, separators=(",", ":")) + "\n"
)

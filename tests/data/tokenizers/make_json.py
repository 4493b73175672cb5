"""Writes small tokenizer.json files, one per group of features, to be given to make_vectors.mjs.
usage: make_json.py TEXT CHARSMAP_MODEL     (a text to learn merges from; a SentencePiece model for its charsmap)"""
import base64, collections, json, re, sys

SYMBOLS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?'\"-_<>\n") + list("éüßñ½▁")
WORDS = re.findall(r" ?\w+|[^\w\s]+|\s+", open(sys.argv[1]).read()[:60000])


def learn(words, count, join=lambda a, b: a + b):
    """The `count` most frequent merges of words given as tuples of symbols."""
    words = collections.Counter(words)
    merges = []
    for _ in range(count):
        pairs = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        new = collections.Counter()
        for word, n in words.items():
            out, i = [], 0
            while i < len(word):
                if word[i:i + 2] == best:
                    out.append(join(*best)); i += 2
                else:
                    out.append(word[i]); i += 1
            new[tuple(out)] += n
        words = new
    return merges


def bpe(words, symbols, count=150, join=lambda a, b: a + b, **options):
    merges = learn(words, count, join)
    vocab = {}
    for token in ["<unk>", "<s>", "</s>"] + symbols + sorted({s for w in words for s in w}) + [join(*m) for m in merges]:
        vocab.setdefault(token, len(vocab))
    return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": vocab, "merges": [list(m) if any(" " in "".join(m) for m in merges) else " ".join(m) for m in merges], **options}


def added(id, content, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **flags}


def write(name, model, **parts):
    ends = [added(i, t) for i, t in enumerate(["<unk>", "<s>", "</s>"])] if "<s>" in model["vocab"] else []
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": ends, "normalizer": None,
                 "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model, **parts}
    tokenizer["added_tokens"] = ends + [t for t in parts.get("added_tokens", [])]
    json.dump(tokenizer, open(name + ".json", "w"), ensure_ascii=False, separators=(",", ":"))


def seq(kind, key, *steps):
    return {"type": kind, key: list(steps)}


def pieces(field):
    """The pieces and scores, or the charsmap, of the SentencePiece model."""
    from sentencepiece import sentencepiece_model_pb2 as pb
    model = pb.ModelProto()
    model.ParseFromString(open(sys.argv[2], "rb").read())
    if field == "charsmap":
        return base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    return [[p.piece, p.score] for p in model.pieces]


LOWER = [tuple(w.strip().lower()) for w in WORDS if w.strip()]
PLAIN = [tuple(w) for w in WORDS]
MARKED = [tuple(w.replace(" ", "▁")) for w in WORDS]
BYTES = ["<0x%02X>" % b for b in range(256)]

# Words end in </w>, as CLIP's.
suffixed = [w[:-1] + (w[-1] + "</w>",) for w in LOWER]
both_ends = [s for s in SYMBOLS if s not in " \n"] + [s + "</w>" for s in SYMBOLS if s not in " \n"]
write("bpe-suffix", bpe(suffixed, both_ends, end_of_word_suffix="</w>", fuse_unk=True),
      normalizer=seq("Sequence", "normalizers", {"type": "NFC"}, {"type": "Lowercase"}),
      pre_tokenizer={"type": "Whitespace"}, decoder={"type": "BPEDecoder", "suffix": "</w>"},
      post_processor={"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True,
                      "add_prefix_space": True})

# Parts of words begin with ##.
prefixed = [(w[0],) + tuple("##" + c for c in w[1:]) for w in LOWER]
both_starts = [s for s in SYMBOLS if s not in " \n"] + ["##" + s for s in SYMBOLS if s not in " \n"]
joined = lambda a, b: a + b[2:]
write("bpe-prefix", bpe(prefixed, both_starts, join=joined, continuing_subword_prefix="##"),
      normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                  "lowercase": True},
      pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": False})

wordpiece = bpe(prefixed, both_starts, 250, join=joined)["vocab"]
write("wordpiece", {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 20, "vocab": wordpiece},
      normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                  "lowercase": True},
      pre_tokenizer={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
      post_processor={"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]})

common = [w for w, _ in collections.Counter(LOWER).most_common(200)]
write("wordlevel", {"type": "WordLevel", "unk_token": "<unk>",
                    "vocab": {t: i for i, t in enumerate(["<unk>", "<s>", "</s>"] + ["".join(w) for w in common])}},
      normalizer=seq("Sequence", "normalizers", {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}),
      pre_tokenizer=seq("Sequence", "pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}))

# Byte fallback beside known and unknown characters, with words that are taken whole.
write("bpe-bytes", bpe(MARKED, SYMBOLS[:-1] + BYTES, byte_fallback=True, fuse_unk=True, ignore_merges=True),
      normalizer=seq("Sequence", "normalizers", {"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}),
      pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
      decoder=seq("Sequence", "decoders", {"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}))

# Added tokens with every flag, and unknown characters that are not fused.
start = len(bpe(PLAIN, SYMBOLS)["vocab"])
write("added", bpe(PLAIN, SYMBOLS),
      added_tokens=[added(start, "<l>", lstrip=True), added(start + 1, "<r>", rstrip=True),
                    added(start + 2, "<lr>", lstrip=True, rstrip=True), added(start + 3, "word", single_word=True, special=False),
                    added(start + 4, "LOUD", normalized=True, special=False), added(start + 5, "<a><b>"), added(start + 6, "<a>"),
                    added(start + 7, "  ", normalized=True, special=False), added(start + 8, "Quiet", normalized=False, special=False)],
      normalizer=seq("Sequence", "normalizers", {"type": "NFKD"}, {"type": "Lowercase"}),
      pre_tokenizer=seq("Sequence", "pretokenizers", {"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "MergedWithNext", "invert": False}, {"type": "Digits", "individual_digits": False}),
      decoder={"type": "Fuse"},
      post_processor=seq("Sequence", "processors", {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                         "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}))

# Every behaviour of Split, one after the other.
steps = [{"type": "Split", "pattern": {"String": mark}, "behavior": behaviour, "invert": False}
         for mark, behaviour in [("-", "MergedWithPrevious"), (".", "Contiguous"), ("!", "Isolated"), ("_", "Removed"), (" ", "MergedWithNext")]]
write("splits", bpe(PLAIN, SYMBOLS), normalizer=seq("Sequence", "normalizers", {"type": "Nmt"}, {"type": "NFC"}),
      pre_tokenizer=seq("Sequence", "pretokenizers", *steps, {"type": "Split", "pattern": {"Regex": "\\w+|[^\\w\\s]"}, "behavior": "Removed", "invert": True}, {"type": "CharDelimiterSplit", "delimiter": ":"}, {"type": "Digits", "individual_digits": True}),
      decoder=seq("Sequence", "decoders", {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}))

# Unigram with SentencePiece's rules for characters, and one that falls back to bytes.
unigram = {"type": "Unigram", "unk_id": 0, "vocab": pieces("pieces"), "byte_fallback": False}
write("unigram", unigram, added_tokens=[added(i, t) for i, t in enumerate(["<unk>", "<s>", "</s>"])],
      normalizer=seq("Sequence", "normalizers", {"type": "Precompiled", "precompiled_charsmap": pieces("charsmap")}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}),
      pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
      decoder={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True})
write("unigram-bytes", dict(unigram, byte_fallback=True, vocab=pieces("pieces") + [[b, 0.0] for b in BYTES]),
      normalizer=seq("Sequence", "normalizers", {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
      decoder=seq("Sequence", "decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}))

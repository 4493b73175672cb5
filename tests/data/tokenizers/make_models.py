"""Trains small SentencePiece models and writes what SentencePiece makes of texts.json (apt-get install
python3-sentencepiece). usage: make_models.py TEXT"""
import json, random, sentencepiece as spm, sys

lines = [l for l in open(sys.argv[1]).read().split("\n") if l.strip()][:3000]
lines += ["naïve café résumé — “quoted” text … ½ ﬁ", "Ünïcödé straße", "１２３ ＡＢＣ"] * 20
open("/tmp/corpus.txt", "w").write("\n".join(lines))
rules = [("ﬁ", "fi"), ("½", "1⁄2"), ("１", "1"), ("２", "2"), ("３", "3"), ("Ａ", "a"), ("Ｂ", "b"), ("e\u0301", "é"),
         ("\u200b", ""), ("\u3000", " "), ("\t", " "), ("\n", " "), ("\u00a0", " "), ("ß", "ss"), ("fff", "F")]
open("/tmp/rules.tsv", "w").write("".join(" ".join("%04X" % ord(c) for c in a) + "\t" + " ".join("%04X" % ord(c) for c in b) + "\n" for a, b in rules))
identity = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
tsv = dict(normalization_rule_tsv="/tmp/rules.tsv")
own = dict(user_defined_symbols=["<sep>", "▁▁", "\n", "lord", "word"], control_symbols=["<mask>"])
models = {
    "sp-unigram": dict(model_type="unigram", **tsv),
    "sp-unigram-bytes": dict(model_type="unigram", byte_fallback=True, vocab_size=600, **identity, **own),
    "sp-bpe": dict(model_type="bpe", user_defined_symbols=["King"], bos_id=-1, **tsv),
    "sp-bpe-bytes": dict(model_type="bpe", byte_fallback=True, vocab_size=600, split_digits=True, **identity, **own),
    "sp-bpe-plain": dict(model_type="bpe", byte_fallback=True, vocab_size=560, add_dummy_prefix=False, **identity),
    "sp-bpe-suffix": dict(model_type="bpe", treat_whitespace_as_suffix=True, **tsv),
}
random.seed(3)
for name, options in models.items():
    spm.SentencePieceTrainer.train(input="/tmp/corpus.txt", model_prefix=name, character_coverage=0.9995, minloglevel=2,
                                   num_threads=1, **{"vocab_size": 420, **options})
    if name == "sp-bpe":  # pieces that are only steps to others are taken apart again
        from sentencepiece import sentencepiece_model_pb2 as pb
        model = pb.ModelProto()
        model.ParseFromString(open(name + ".model", "rb").read())
        for piece in [p for p in model.pieces if p.type == 1 and len(p.piece) > 1][::3]:
            piece.type = 5
        open(name + ".model", "wb").write(model.SerializeToString())
    sp = spm.SentencePieceProcessor(model_file=name + ".model")
    vectors = []
    for text in json.load(open("texts.json")):
        ids = sp.encode(text)
        vectors.append({"text": text, "ids": ids, "decoded_skip_special": sp.decode(ids)})
    byte_ids = [i for i in range(sp.vocab_size()) if sp.is_byte(i)]
    for _ in range(40):
        ids = [random.choice(byte_ids if byte_ids and random.random() < 0.7 else range(sp.vocab_size())) for _ in range(random.randint(1, 12))]
        vectors.append({"ids": ids, "decoded_skip_special": sp.decode(ids)})
    out = ",\n".join(json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in vectors)
    open(name + ".vectors.json", "w").write("[" + out + "]\n")

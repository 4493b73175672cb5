// Reference vectors of the tokenizer.json files here, by Hugging Face's own library (npm i @anush008/tokenizers).
// usage: node make_vectors.mjs FILE.json…
import { readFileSync, writeFileSync } from "fs";
import { Tokenizer } from "@anush008/tokenizers";

const texts = JSON.parse(readFileSync(new URL("texts.json", import.meta.url)));
for (const file of process.argv.slice(2)) {
  const tokenizer = Tokenizer.fromFile(file);
  const vectors = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    const withSpecial = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
    vectors.push({ text, ids, ids_with_special: withSpecial, decoded: await tokenizer.decode(ids, false),
                   decoded_skip_special: await tokenizer.decode(withSpecial, true) });
  }
  writeFileSync(file.replace(/json$/, "vectors.json"), JSON.stringify(vectors).replaceAll('},{"text"', '},\n{"text"') + "\n");
}

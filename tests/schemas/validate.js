// Validates what answers.py printed by ajv: node validate.js FILE.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

let wrong = 0;
const validators = new Map();
const validatorOf = (schema) => {
  const key = JSON.stringify(schema);
  if (!validators.has(key)) {
    const ajv = new Ajv({ strict: false, multipleOfPrecision: 9 }); // it divides doubles: 0.07 / 0.01 is not 7
    addFormats(ajv);
    validators.set(key, ajv.compile(schema));
  }
  return validators.get(key);
};
for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const { schema, text, whole } = JSON.parse(line);
  if (!whole) continue;
  try {
    const valid = validatorOf(schema);
    if (valid(JSON.parse(text))) continue;
    console.error(`${JSON.stringify(valid.errors[0])}: ${text} by ${line}`);
  } catch (e) {
    console.error(`${e.message}: ${text} by ${line}`);
  }
  ++wrong;
}
process.exit(wrong ? 1 : 0);

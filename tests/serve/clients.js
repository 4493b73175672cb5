// Real clients against lmc serve: node clients.js URL. Prints what is wrong, and exits with how much that is.
import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany, generateObject, generateText, streamText, tool } from 'ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { z } from 'zod';

const url = process.argv[2];
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const ollama = new Ollama({ host: url });
const sdk = createOpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });
const hi = [{ role: 'user', content: 'Who is there?' }];
const weather = {
  type: 'function',
  function: { name: 'weather', description: 'the weather', parameters: { type: 'object', properties: { city: { type: 'string', maxLength: 9 } }, additionalProperties: false } },
};
// Taught with plays, the model likes to begin new lines where JSON lets it.
const noLineEnds = { 260: -100, 340: -100 };
const slots = async () => (await (await fetch(`${url}/slots`)).json()).filter((s) => s.is_processing).length;
const soon = async (ok, what) => {
  for (let i = 0; i < 100; ++i) {
    if (await ok()) return;
    await new Promise((r) => setTimeout(r, 20));
  }
  assert.fail(what);
};

const tests = {
  async 'openai: models'() {
    const list = await openai.models.list();
    assert.equal(list.data.length, 1);
    assert.equal((await openai.models.retrieve('whatever')).id, 'whatever');
  },
  async 'openai: a completion is the same streamed, with logprobs, echoed and repeated'() {
    const ask = { model: 'm', prompt: 'ROMEO:', max_tokens: 24, temperature: 0.8, seed: 7 };
    const whole = await openai.completions.create(ask);
    assert.equal(whole.usage.completion_tokens, 24);
    assert.equal(whole.choices[0].finish_reason, 'length');
    let text = '';
    let usage;
    for await (const chunk of await openai.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.text ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].text);
    assert.equal(usage.total_tokens, whole.usage.total_tokens);
    const told = await openai.completions.create({ ...ask, logprobs: 3 });
    assert.equal(told.choices[0].logprobs.tokens.join(''), text);
    assert.ok(told.choices[0].logprobs.token_logprobs.every((l) => l <= 0));
    assert.equal(Object.keys(told.choices[0].logprobs.top_logprobs[0]).length, 3);
    const echoed = await openai.completions.create({ ...ask, echo: true });
    assert.equal(echoed.choices[0].text, 'ROMEO:' + text);
  },
  async 'openai: n answers, several prompts, and ids'() {
    const r = await openai.completions.create({ model: 'm', prompt: ['ROMEO:', 'JULIET:'], n: 2, max_tokens: 8, temperature: 1, seed: 3 });
    assert.deepEqual(r.choices.map((c) => c.index), [0, 1, 2, 3]);
    const second = await openai.completions.create({ model: 'm', prompt: 'JULIET:', max_tokens: 8, temperature: 1, seed: 4 });
    assert.equal(r.choices[3].text, second.choices[0].text);
    const { tokens } = await (await fetch(`${url}/tokenize`, { method: 'POST', body: JSON.stringify({ content: 'JULIET:', add_special: true }) })).json();
    const ids = await openai.completions.create({ model: 'm', prompt: tokens, max_tokens: 8, temperature: 1, seed: 4 });
    assert.equal(ids.choices[0].text, second.choices[0].text);
  },
  async 'openai: chat, whole and streamed, stop, bias, developer, parts'() {
    const ask = { model: 'm', messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'Who?' }] }], max_completion_tokens: 20, temperature: 0 };
    const whole = (await openai.chat.completions.create({ ...ask, logprobs: true, top_logprobs: 2 })).choices[0];
    assert.equal(whole.logprobs.content.map((t) => t.token).join(''), whole.message.content);
    assert.equal(whole.logprobs.content[0].top_logprobs.length, 2);
    let text = '';
    const finish = [];
    for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) {
      text += chunk.choices[0].delta.content ?? '';
      finish.push(chunk.choices[0].finish_reason);
    }
    assert.equal(text, whole.message.content);
    assert.equal(finish.at(-1), 'length');
    const word = text.split(' ')[2];
    const stopped = (await openai.chat.completions.create({ ...ask, stop: [word] })).choices[0];
    assert.equal(stopped.message.content, text.slice(0, text.indexOf(word)));
    assert.equal(stopped.finish_reason, 'stop');
    const never = (await openai.chat.completions.create({ ...ask, logit_bias: { 280: -100 }, max_tokens: 1, max_completion_tokens: 1 })).choices[0];
    assert.ok(never.message.content.length > 0);
    const runner = openai.chat.completions.stream(ask);
    assert.equal((await runner.finalChatCompletion()).choices[0].message.content, text);
  },
  async 'openai: tools that the model does not call, and those it called before'() {
    const messages = [...hi, { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }] }, { role: 'tool', tool_call_id: 'c1', content: 'rain' }];
    const r = await openai.chat.completions.create({ model: 'm', messages, tools: [weather], max_completion_tokens: 6 });
    assert.equal(r.choices[0].message.tool_calls, undefined);
    const prompt = await (await fetch(`${url}/apply-template`, { method: 'POST', body: JSON.stringify({ messages, tools: [weather] }) })).json();
    assert.match(prompt.prompt, /<tool_call>\{"name": "weather", "arguments": \{"city": "Rome"\}\}<\/tool_call>/);
  },
  async 'openai: answers that must be JSON, of a schema, of a grammar, or a call'() {
    const schema = { type: 'object', properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } }, required: ['name', 'age'], additionalProperties: false };
    const ask = { model: 'm', messages: hi, max_completion_tokens: 290, seed: 5, logit_bias: noLineEnds };
    const parsed = JSON.parse((await openai.chat.completions.create({ ...ask, response_format: { type: 'json_schema', json_schema: { name: 'person', schema } } })).choices[0].message.content);
    assert.equal(typeof parsed.name, 'string');
    assert.ok(Number.isInteger(parsed.age));
    assert.equal(typeof JSON.parse((await openai.chat.completions.create({ ...ask, seed: 1, response_format: { type: 'json_object' } })).choices[0].message.content), 'object');
    assert.match((await openai.completions.create({ model: 'm', prompt: 'x', max_tokens: 50, seed: 2, regex: '[a-c]{3,9}' })).choices[0].text, /^[a-c]{3,9}$/);
    assert.match((await openai.completions.create({ model: 'm', prompt: 'x', max_tokens: 50, grammar: 'root ::= "yes" | "no"', logprobs: 1 })).choices[0].text, /^(yes|no)$/);
    const response = await openai.responses.create({ model: 'm', input: 'Who?', max_output_tokens: 290, seed: 5, text: { format: { type: 'json_schema', name: 'person', schema } } });
    assert.equal(typeof JSON.parse(response.output_text).age, 'number');
    const city = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { $ref: '#/$defs/city' } }, required: ['city'], additionalProperties: false, $defs: { city: { enum: ['Rome', 'Paris'] } } } } };
    const called = (await openai.chat.completions.create({ ...ask, tools: [city], tool_choice: 'required' })).choices[0];
    assert.equal(called.finish_reason, 'tool_calls');
    assert.ok(['Rome', 'Paris'].includes(JSON.parse(called.message.tool_calls[0].function.arguments).city));
    const runner = openai.chat.completions.stream({ ...ask, tools: [weather, city], tool_choice: { type: 'function', function: { name: 'weather' } } });
    assert.equal((await runner.finalChatCompletion()).choices[0].message.tool_calls[0].function.name, 'weather');
    await assert.rejects(openai.chat.completions.create({ ...ask, response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'strange' } } } }), (e) => e instanceof OpenAI.BadRequestError);
    await assert.rejects(openai.chat.completions.create({ ...ask, tools: [city], tool_choice: { type: 'function', function: { name: 'nobody' } } }), (e) => e.param === 'tool_choice');
  },
  async 'openai: responses, whole and streamed'() {
    const ask = { model: 'm', input: 'Who?', instructions: 'Be brief.', max_output_tokens: 12, temperature: 0 };
    const whole = await openai.responses.create(ask);
    assert.ok(whole.output_text.length > 0);
    let text = '';
    let numbers = 0;
    for await (const event of await openai.responses.create({ ...ask, stream: true })) {
      assert.equal(event.sequence_number, numbers++);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    assert.equal(text, whole.output_text);
  },
  async 'openai and @ai-sdk/openai: embeddings, as base64 and as numbers'() {
    const input = ['To be', 'or not to be'];
    const { data, usage } = await openai.embeddings.create({ model: 'm', input });
    assert.deepEqual(data.map((d) => d.index), [0, 1]);
    assert.ok(data[0].embedding.length === 128 && data[0].embedding.every(Number.isFinite));
    const numbers = await openai.embeddings.create({ model: 'm', input, encoding_format: 'float' });
    assert.deepEqual(numbers.data.map((d) => d.embedding), data.map((d) => Array.from(d.embedding)));
    const many = await embedMany({ model: sdk.textEmbeddingModel('m'), values: input });
    assert.deepEqual(many.embeddings, numbers.data.map((d) => d.embedding));
    assert.equal(many.usage.tokens, usage.prompt_tokens);
  },
  async 'openai: errors have a class, a message, a parameter'() {
    await assert.rejects(openai.chat.completions.create({ model: 'm', messages: [] }), (e) => e instanceof OpenAI.BadRequestError && e.param === 'messages' && /must be a list/.test(e.message));
    await assert.rejects(openai.completions.create({ model: 'm', prompt: 'x', temperature: -1 }), (e) => e.param === 'temperature' && e.type === 'invalid_request_error');
    await assert.rejects(openai.completions.create({ model: 'm', prompt: 'a '.repeat(5000) }), (e) => e.code === 'context_length_exceeded');
    await assert.rejects(openai.completions.create({ model: 'm', prompt: 'x', unknown: 1 }), (e) => e.param === 'unknown');
    await assert.rejects(openai.embeddings.create({ model: 'm', input: 'x', dimensions: 3 }), (e) => e.param === 'dimensions');
  },
  async 'openai: an abort frees the slot'() {
    const abort = new AbortController();
    const stream = await openai.completions.create({ model: 'm', prompt: 'ROMEO:', max_tokens: 400, stream: true, logit_bias: { 1: -100 } }, { signal: abort.signal });
    for await (const chunk of stream) {
      assert.ok(chunk.choices[0].text !== undefined);
      break;
    }
    abort.abort();
    await soon(async () => (await slots()) === 0, 'a slot is still taken');
  },
  async 'ollama: generate and chat, whole and streamed'() {
    const options = { temperature: 0, num_predict: 12 };
    const whole = await ollama.generate({ model: 'm', prompt: 'ROMEO:', raw: true, options });
    assert.equal(whole.eval_count, 12);
    let text = '';
    for await (const part of await ollama.generate({ model: 'm', prompt: 'ROMEO:', raw: true, stream: true, options })) text += part.response;
    assert.equal(text, whole.response);
    const chat = await ollama.chat({ model: 'm', messages: hi, options });
    assert.equal(chat.message.role, 'assistant');
    let said = '';
    let last;
    for await (const part of await ollama.chat({ model: 'm', messages: hi, stream: true, options })) {
      said += part.message.content;
      last = part;
    }
    assert.equal(said, chat.message.content);
    assert.equal(last.done_reason, 'length');
    await ollama.chat({ model: 'm', messages: hi, tools: [weather], options });
    const format = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false };
    assert.equal(typeof JSON.parse((await ollama.generate({ model: 'm', prompt: 'x', raw: true, format, options: { num_predict: 200, temperature: 0 } })).response).ok, 'boolean');
  },
  async 'ollama: the model, its version, errors, an abort'() {
    const [model] = (await ollama.list()).models;
    assert.ok(model.name.endsWith(':latest'));
    assert.ok((await ollama.show({ model: model.name })).capabilities.includes('tools'));
    assert.equal((await ollama.ps()).models.length, 1);
    assert.match((await (await fetch(`${url}/api/version`)).json()).version, /^\d+\.\d+\.\d+$/);
    await assert.rejects(ollama.generate({ model: 'm', prompt: 'x', options: { temperature: 'hot' } }), /temperature/);
    const stream = await ollama.generate({ model: 'm', prompt: 'ROMEO:', stream: true, raw: true, options: { num_predict: 400 } });
    for await (const part of stream) {
      assert.equal(part.done, false);
      break;
    }
    stream.abort();
    await soon(async () => (await slots()) === 0, 'a slot is still taken');
  },
  async 'ai sdk: text, whole and streamed, by all three interfaces'() {
    for (const model of [sdk('m'), sdk.chat('m'), sdk.completion('m')]) {
      const ask = { model, prompt: 'Who?', temperature: 0, maxOutputTokens: 10, maxRetries: 0 };
      const whole = await generateText(ask);
      assert.ok(whole.text.length > 0);
      const stream = streamText(ask);
      let text = '';
      for await (const piece of stream.textStream) text += piece;
      assert.equal(text, whole.text);
      assert.equal((await stream.usage).outputTokens, 10);
    }
  },
  async 'ai sdk: tools, errors, aborts'() {
    const tools = { weather: tool({ description: 'the weather', inputSchema: z.object({ city: z.enum(['Rome', 'Oslo']) }), execute: async () => 'rain' }) };
    const r = await generateText({ model: sdk.chat('m'), prompt: 'Who?', tools, maxOutputTokens: 6, maxRetries: 0 });
    assert.equal(r.toolCalls.length, 0);
    await generateText({ model: sdk('m'), prompt: 'Who?', tools, maxOutputTokens: 6, maxRetries: 0 });
    await assert.rejects(generateText({ model: sdk.chat('m'), prompt: 'a '.repeat(5000), maxRetries: 0 }), /context/);
    for (const model of [sdk('m'), sdk.chat('m')]) {
      const forced = await generateText({ model, prompt: 'Who?', tools, toolChoice: 'required', maxOutputTokens: 290, temperature: 0, maxRetries: 0 });
      assert.equal(forced.toolResults[0].output, 'rain');
      const { object } = await generateObject({ model, prompt: 'Who?', schema: z.object({ age: z.number().int().min(0).max(99) }), maxOutputTokens: 200, temperature: 0, maxRetries: 0 });
      assert.ok(Number.isInteger(object.age));
    }
    const abort = new AbortController();
    const stream = streamText({ model: sdk.completion('m'), prompt: 'ROMEO:', maxOutputTokens: 400, abortSignal: abort.signal, maxRetries: 0, onError() {} });
    for await (const piece of stream.textStream) {
      assert.ok(piece);
      break;
    }
    abort.abort();
    await soon(async () => (await slots()) === 0, 'a slot is still taken');
  },
};

let wrong = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
  } catch (error) {
    ++wrong;
    console.error(`FAIL: ${name}: ${error.stack}`);
  }
}
console.log(`${Object.keys(tests).length - wrong} of ${Object.keys(tests).length} passed`);
process.exit(wrong);

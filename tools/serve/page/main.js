// A conversation, kept here alone: the server gets all of it with every question.
const messages = []; // {role, content, tokens: [{text, logprob, top}], note, wrong}
let answering = null; // AbortController of the answer that is being made

byId('title').textContent = document.title = data.model;
if (!data.chat) {
  for (const part of document.querySelectorAll('.chat')) part.hidden = true;
  byId('send').textContent = 'Go on';
}

// What is asked of the server, from messages and settings.
function request() {
  const ask = { model: data.model, stream: true, stream_options: { include_usage: true } };
  for (const name of ['temperature', 'top_p', 'top_k', 'min_p', 'repetition_penalty', 'max_tokens', 'seed'])
    if (byId(name).value !== '') ask[name] = Number(byId(name).value);
  if (byId('stop').value !== '') ask.stop = [byId('stop').value];
  const told = messages.filter((m) => !m.wrong && !m.open).map(({ role, content }) => ({ role, content }));
  if (!data.chat) {
    if (byId('probabilities').checked) ask.logprobs = 5;
    if (!('max_tokens' in ask)) ask.max_tokens = data.context;
    return ['/v1/completions', { ...ask, prompt: told.map((m) => m.content).join('') }];
  }
  if (byId('probabilities').checked) Object.assign(ask, { logprobs: true, top_logprobs: 5 });
  if (byId('system').value) told.unshift({ role: 'system', content: byId('system').value });
  return ['/v1/chat/completions', { ...ask, messages: told }];
}

function tokensOf(logprobs) {
  if (!logprobs) return [];
  if (logprobs.content) return logprobs.content.map((t) => ({ text: t.token, logprob: t.logprob, top: t.top_logprobs.map((o) => [o.token, o.logprob]) }));
  return logprobs.tokens.map((text, i) => ({ text, logprob: logprobs.token_logprobs[i], top: Object.entries(logprobs.top_logprobs[i]) }));
}

// The data of each event, as they come.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    left += value;
    const whole = left.split('\n\n');
    left = whole.pop();
    for (const event of whole) {
      const text = event.replace(/^data: /, '');
      if (text !== '[DONE]') yield JSON.parse(text);
    }
  }
}

async function answer() {
  const said = { role: 'assistant', content: '', tokens: [], open: true };
  const [path, body] = request();
  messages.push(said);
  answering = new AbortController();
  draw();
  let first = 0;
  try {
    const headers = { 'Content-Type': 'application/json' };
    if (byId('key').value) headers.Authorization = `Bearer ${byId('key').value}`;
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal: answering.signal });
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      const choice = event.choices[0];
      const text = choice?.delta?.content ?? choice?.text ?? '';
      if (text && !first) first = performance.now();
      said.content += text;
      said.tokens.push(...tokensOf(choice?.logprobs));
      if (choice?.finish_reason === 'length') said.note = 'cut off: no more tokens';
      if (event.usage) {
        const seconds = (performance.now() - first) / 1000;
        const { completion_tokens: made, prompt_tokens: read } = event.usage;
        said.speed = made > 1 && seconds > 0 ? `${((made - 1) / seconds).toFixed(1)} tokens/s` : '';
        byId('speed').textContent = `${read} + ${made} tokens, ${said.speed}`;
      }
      drawLast();
    }
  } catch (error) {
    if (error.name === 'AbortError') said.note = 'stopped';
    else Object.assign(said, { wrong: true, content: said.content || String(error.message) , note: String(error.message) });
  }
  said.open = false;
  answering = null;
  draw();
  byId('box').focus();
}

const stop = () => answering?.abort();

function send() {
  if (answering) return;
  const text = byId('box').value;
  if (text === '' && (data.chat || messages.length === 0)) return;
  if (text !== '') messages.push({ role: 'user', content: text, tokens: [] });
  byId('box').value = '';
  answer();
}

// Takes a question back into the box, with all behind it.
function edit(i) {
  stop();
  byId('box').value = messages[i].content;
  messages.length = i;
  draw();
  byId('box').focus();
}

// Another answer in the place of this one.
function retry(i) {
  if (answering) return;
  messages.length = i;
  answer();
}

const chance = (logprob) => percent(Math.exp(logprob), 1);

function fill(holder, m) {
  if (m.tokens.length === 0) {
    holder.textContent = m.content;
    return;
  }
  holder.replaceChildren(...m.tokens.map((t) => {
    const span = document.createElement('span');
    span.className = 'token';
    span.textContent = t.text;
    span.style.background = `color-mix(in srgb, var(--gain) ${Math.round(60 * (1 - Math.exp(t.logprob)))}%, transparent)`;
    span.dataset.tip = `<b>${escape(JSON.stringify(t.text))} ${chance(t.logprob)}</b>` +
      t.top.map(([text, logprob]) => `<br>${escape(JSON.stringify(text))} ${chance(logprob)}`).join('');
    return span;
  }));
}

function button(text, act) {
  const out = document.createElement('button');
  out.type = 'button';
  out.textContent = text;
  out.addEventListener('click', act);
  return out;
}

function card(m, i) {
  const out = document.createElement('article');
  out.className = m.role + (m.wrong ? ' wrong' : '');
  const text = document.createElement('div');
  text.className = 'text';
  fill(text, m);
  const foot = document.createElement('footer');
  const note = document.createElement('span');
  note.textContent = [m.note, m.speed].filter(Boolean).join(' · ');
  foot.append(note);
  if (!m.open) foot.append(m.role === 'user' ? button('Edit', () => edit(i)) : button('Retry', () => retry(i)));
  out.append(text, foot);
  return out;
}

function draw() {
  byId('talk').replaceChildren(...messages.map(card));
  byId('stop-answer').hidden = !answering;
  byId('send').disabled = answering !== null;
  scrollTo(0, document.body.scrollHeight);
}

function drawLast() {
  const i = messages.length - 1;
  const near = innerHeight + scrollY > document.body.scrollHeight - 80;
  byId('talk').lastElementChild.replaceWith(card(messages[i], i));
  if (near) scrollTo(0, document.body.scrollHeight);
}

byId('ask').addEventListener('submit', (event) => { event.preventDefault(); send(); });
byId('box').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') stop(); });
byId('stop-answer').addEventListener('click', stop);
byId('clear').addEventListener('click', () => { stop(); messages.length = 0; byId('speed').textContent = ''; draw(); byId('box').focus(); });
byId('box').focus();

// Search through the state that is shown, the ledger and the reasons; `/` begins it.
const searched = { hits: [], at: 0 };
const haystacks = new Map(); // by state: [{text, part, op}]

function haystack(state) {
  if (!haystacks.has(state)) {
    const lines = [];
    for (const id of data.states[state].parts) {
      const part = partOf(id);
      part.kind.ops.forEach((op, i) => lines.push({
        text: (statement(part, op) + ' ' + scopeOf(part, op) + ' ' + (op.body ?? []).join(' ')).toLowerCase(), part: id, op: i, key: part.kindId + ' ' + i }));
    }
    haystacks.set(state, lines);
  }
  return haystacks.get(state);
}

function search(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const has = (text) => wanted.every((w) => text.includes(w));
  const hits = new Map();
  for (const line of haystack(steps[selected.step].state)) {
    if (!has(line.text)) continue;
    const known = hits.get(line.key);
    if (known) ++known.count; else hits.set(line.key, { ...line, kind: 'op', count: 1 });
  }
  const out = [...hits.values()];
  for (const p of data.passes) {
    if (has((p.pass + ' ' + (p.doc ?? '') + ' ' + (p.summary ?? '')).toLowerCase())) out.push({ kind: 'pass', pass: p });
    for (const m of nearMisses(p)) if (has(m.text.toLowerCase())) out.push({ kind: 'miss', text: m.text, pass: p });
  }
  for (const e of data.ledger) if (has((e.tensor + ' ' + e.rule).toLowerCase())) out.push({ kind: 'ledger', entry: e });
  return out;
}

const hitHtml = (hit) => {
  if (hit.kind === 'op') {
    const part = partOf(hit.part);
    return `<span class="mono">${escape(statement(part, part.kind.ops[hit.op]))}</span><small>${escape(scopeOf(part, part.kind.ops[hit.op]))}${hit.count > 1 ? `, and ${hit.count - 1} more like it` : ''}</small>`;
  }
  if (hit.kind === 'pass') return `${escape(hit.pass.pass)}<small>pass: ${escape(hit.pass.doc ?? '')}</small>`;
  if (hit.kind === 'miss') return `${escape(hit.text)}<small>why ${escape(hit.pass.pass)} did not fire</small>`;
  return `<span class="mono">${escape(hit.entry.tensor)}</span><small>quantisation: ${escape(hit.entry.format)}, ${escape(hit.entry.rule)}</small>`;
};

function showHits() {
  const box = byId('found');
  const words = byId('search').value;
  searched.hits = search(words);
  searched.at = 0;
  box.hidden = words.trim() === '';
  const most = 60;
  box.innerHTML = searched.hits.length === 0 ? '<p>Nothing found in the graph behind this pass.</p>' :
    searched.hits.slice(0, most).map((h, i) => `<button data-hit="${i}" class="${i === 0 ? 'on' : ''}">${hitHtml(h)}</button>`).join('') +
    (searched.hits.length > most ? `<p>and ${searched.hits.length - most} more</p>` : '');
}

function openHit(hit) {
  byId('found').hidden = true;
  byId('search').blur();
  if (hit.kind === 'pass') return goTo(data.passes.indexOf(hit.pass) + 1);
  if (hit.kind !== 'op') { selected.view = hit.kind === 'miss' ? 'misses' : 'ledger'; return draw(); }
  selected.view = 'ir';
  selected.only = false;
  [selected.group, selected.member] = find(data.parts[hit.part][1]) ?? [0, 0];
  draw();
  const line = document.querySelector(`.line[data-part="${hit.part}"][data-op="${hit.op}"]`);
  line?.scrollIntoView({ block: 'center' });
  line?.classList.add('flash');
}

byId('search').addEventListener('input', showHits);
byId('search').addEventListener('keydown', (event) => {
  const buttons = [...document.querySelectorAll('#found button')];
  if (event.key === 'Enter' && searched.hits[searched.at]) openHit(searched.hits[searched.at]);
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    searched.at = Math.min(Math.max(searched.at + (event.key === 'ArrowDown' ? 1 : -1), 0), buttons.length - 1);
    buttons.forEach((b, i) => b.classList.toggle('on', i === searched.at));
    buttons[searched.at]?.scrollIntoView({ block: 'nearest' });
  }
});
byId('found').addEventListener('click', (event) => {
  const hit = event.target.closest('[data-hit]')?.dataset.hit;
  if (hit !== undefined) openHit(searched.hits[hit]);
});
document.addEventListener('pointerdown', (event) => {
  if (!event.target.closest('.finder')) byId('found').hidden = true;
});

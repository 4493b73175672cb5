// The statements of a part, before and after, line by line.
const marks = ['', 'removed', 'added', 'changed'];

const token = (text, kind, changed) =>
  `<span class="${kind}">${changed ? `<mark>${escape(text)}</mark>` : escape(text)}</span>`;

// `other`: the same op on the other side, if it changed; what differs is marked.
function lineHtml(part, index, other) {
  const op = part.kind.ops[index];
  const was = other && other.part.kind.ops[other.index];
  const operands = op.in.map((v, i) => {
    const text = typeof v === 'string' ? shortWeight(v, part) : operandName(part, v);
    const differs = was && operandName(other.part, was.in[i] ?? '') !== operandName(part, v);
    return token(text, typeof v === 'string' ? 'w' : 'v', differs);
  }).join(', ');
  const types = op.out.map((v) => part.kind.types[v]).join(', ');
  const oldTypes = was && was.out.map((v) => other.part.kind.types[v]).join(', ');
  const known = was ? new Set((was.attrs ?? '').split(', ')) : null;
  const attrs = op.attrs ? ' {' + op.attrs.split(/, (?![^[]*\])/).map((a) => token(a, 'a', known && !known.has(a) && !(was.attrs ?? '').includes(a))).join(', ') + '}' : '';
  return op.out.map((v) => token('%' + part.names[v], 'v')).join(', ') + ' = ' + token(op.op, 'op') + '(' + operands + ')' +
    `<span class="a">${attrs}</span>` + `<span class="t"> : ${was && oldTypes !== types ? `<mark>${escape(types)}</mark>` : escape(types)}</span>` +
    (op.body ? `<span class="body">${escape(op.body.join('\n'))}</span>` : '');
}

function cell(part, index, mark, side, other, most) {
  if (index < 0) return `<div class="line fill side-${side}"></div>`;
  const op = part.kind.ops[index];
  const heat = heats[selected.heat];
  const hot = heat.of && side === 'after' ? heat.of(part, op, index) : 0;
  const warm = warmth(hot, most);
  return `<div class="line side-${side} ${marks[mark]}${op.constant ? ' constant' : ''}" data-part="${part.id}" data-op="${index}">` +
    (warm > 0 ? `<i class="hot" style="background:${heatColour(warm)};opacity:${0.35 + 0.65 * warm}"></i>${hot > most / 100 ? `<span class="amount">${heat.text(hot)}</span>` : ''}` : '') +
    lineHtml(part, index, other) + '</div>';
}

// What was removed and what was added at one place share their lines (mark 4).
function beside(rows, before, after) {
  const out = [];
  const scope = ([i, j]) => (j >= 0 ? scopeOf(after, after.kind.ops[j]) : scopeOf(before, before.kind.ops[i]));
  for (let r = 0; r < rows.length;) {
    let end = r;
    while (end < rows.length && (rows[end][2] === 1 || rows[end][2] === 2) && scope(rows[end]) === scope(rows[r])) ++end;
    if (end === r) { out.push(rows[r++]); continue; }
    const gone = rows.slice(r, end).filter((x) => x[2] === 1), fresh = rows.slice(r, end).filter((x) => x[2] === 2);
    for (let k = 0; k < Math.max(gone.length, fresh.length); ++k)
      out.push(k >= gone.length ? fresh[k] : k >= fresh.length ? gone[k] : [gone[k][0], fresh[k][1], 4]);
    r = end;
  }
  return out;
}

const scopeOf = (part, op) => filled(op.scope, part);

function drawCode() {
  const group = currentGroup();
  const code = byId('code');
  if (!group) { code.innerHTML = '<p class="empty">The graph has no ops.</p>'; return; }
  const [b, a] = currentMember();
  const before = partOf(b), after = partOf(a);
  const two = changedBy(selected.step);
  const rows = two ? beside(data.rows[group.rows], before, after) : after.kind.ops.map((_, i) => [-1, i, 0]);
  const most = after ? hottest(after) : 0;
  let html = two ? `<div class="head">before ${escape(steps[selected.step].name)}</div><div class="head side-after">after</div>` : '';
  let scope = null, skipped = 0;
  const flush = () => {
    if (skipped > 0) html += `<button class="gap" data-all>${skipped} line${skipped === 1 ? '' : 's'} as before</button>`;
    skipped = 0;
  };
  for (const [i, j, mark] of rows) {
    if (two && selected.only && mark === 0) { ++skipped; continue; }
    flush();
    const here = j >= 0 ? scopeOf(after, after.kind.ops[j]) : scopeOf(before, before.kind.ops[i]);
    if (here !== scope) { html += `<div class="scope">${escape(here || '(no scope)')}</div>`; scope = here; }
    const pair = mark === 3;
    if (two) html += cell(before, i, mark === 4 ? 1 : mark, 'before', pair && { part: after, index: j }, 0);
    html += cell(after, j, mark === 4 ? 2 : mark, 'after', pair && { part: before, index: i }, most);
  }
  flush();
  code.innerHTML = `<div class="sides${two ? '' : ' single'}">${html}</div>`;
  code.scrollTop = 0;
}

byId('code').addEventListener('click', (event) => {
  if (event.target.closest('[data-all]')) { selected.only = false; draw(); }
});

// The line or box under the pointer lights up in text and picture, and with it what it reads and who reads it.
function light(partId, index) {
  for (const lit of document.querySelectorAll('.lit, .use')) lit.classList.remove('lit', 'use');
  if (partId === null) return;
  const part = partOf(partId);
  const op = part.kind.ops[index];
  const made = new Set(op.out), read = new Set(op.in.filter((v) => typeof v === 'number'));
  for (const line of document.querySelectorAll(`.line[data-part="${partId}"]`)) {
    const other = part.kind.ops[line.dataset.op];
    if (+line.dataset.op === index) line.classList.add('lit');
    else if (other.in.some((v) => made.has(v)) || other.out.some((v) => read.has(v))) line.classList.add('use');
  }
  for (const mark of document.querySelectorAll(`#picture [data-part="${partId}"][data-op="${index}"], #picture [data-ends~="${partId}:${index}"]`)) mark.classList.add('lit');
}

function tipFor(part, index) {
  const op = part.kind.ops[index];
  const rows = [];
  const row = (name, value) => rows.push(`<tr><td>${name}</td><td>${value}</td></tr>`);
  row('result', op.out.map((v) => `%${escape(part.names[v])} <span style="opacity:.75">${escape(part.kind.types[v])}</span>`).join('<br>'));
  const read = op.in.filter((v) => typeof v === 'number');
  if (read.length) row('reads', read.map((v) => `%${escape(part.names[v])} <span style="opacity:.75">${escape(part.kind.types[v])}</span>`).join('<br>'));
  let w = 0;
  const names = op.in.filter((v) => typeof v === 'string');
  if (names.length) row('weights', names.map((v) => { const [type, size] = op.weights[w++]; return `${escape(filled(v, part))} <span style="opacity:.75">${type}, ${bytes(size)}</span>`; }).join('<br>'));
  if (op.constant) row('', 'on weights alone: runs once, when compiling');
  if (op.wb) row('weights read', bytes(op.wb) + ' a token');
  if (op.ab) row('activations', bytes(op.ab) + ' a token');
  if (op.fl) row('operations', metric(op.fl) + ' a token');
  if (op.us) row('predicted', `${duration(op.us)} as a kernel of its own`);
  const kernel = kernelOf(part, index);
  if (kernel) {
    row('kernel', `${escape(kernel.label)} <span style="opacity:.75">× ${kernel.calls} a step</span>`);
    row('predicted', `${duration(kernel.predicted)} a call`);
    if (kernel.measured) {
      row('measured', `${duration(kernel.measured.us)} a call` +
        (kernel.measured.gb_s > 0 ? `, ${fixed(kernel.measured.gb_s, 1)} GB/s, ${percent(kernel.measured.peak, 0)} of read peak` : ''));
    }
  }
  return `<b>${escape(op.op)}</b>${op.attrs ? ` <span style="opacity:.75">{${escape(op.attrs)}}</span>` : ''}<table>${rows.join('')}</table>`;
}

document.addEventListener('pointerover', (event) => {
  const owner = event.target.closest?.('[data-part][data-op]');
  if (!owner) { light(null); return; }
  const part = partOf(+owner.dataset.part);
  owner.dataset.tip ??= tipFor(part, +owner.dataset.op);
  light(part.id, +owner.dataset.op);
});

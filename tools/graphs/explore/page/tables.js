// The views beside the IR: what quantising decided, why patterns did not fire, and the kernels.
function table(columns, rows) {
  const head = columns.some(([name]) => name);
  return `<table><thead${head ? '' : ' hidden'}><tr>${columns.map(([name, , kind, key], i) => `<th class="${kind ?? ''}${key ? ' sort' : ''}" data-column="${i}">${name}</th>`).join('')}</tr></thead>` +
    `<tbody>${rows.map((r) => `<tr>${columns.map(([, cell, kind]) => `<td class="${kind ?? ''}">${cell(r)}</td>`).join('')}</tr>`).join('')}</tbody></table>`;
}

const ledgerSort = { column: -1, down: true };
const ledgerColumns = [
  ['tensor', (e) => escape(e.tensor), 'text mono', (e) => e.tensor],
  ['shape', (e) => `${e.rows} × ${e.cols}`, '', (e) => e.rows * e.cols],
  ['format', (e) => escape(e.format), 'text', (e) => e.format],
  ['before', (e) => bytes(e.bytes_before), '', (e) => e.bytes_before],
  ['after', (e) => bytes(e.bytes_after), '', (e) => e.bytes_after],
  ['SQNR', (e) => (e.sqnr_db === undefined ? '–' : fixed(e.sqnr_db, 1) + ' dB'), '', (e) => e.sqnr_db ?? Infinity],
  ['rule', (e) => escape(e.rule), 'text', (e) => e.rule],
];

function drawLedger() {
  const rows = [...data.ledger];
  if (ledgerSort.column >= 0) {
    const key = ledgerColumns[ledgerSort.column][3];
    rows.sort((x, y) => (key(x) < key(y) ? -1 : key(x) > key(y) ? 1 : 0) * (ledgerSort.down ? -1 : 1));
  }
  const sum = (name) => rows.reduce((s, e) => s + e[name], 0);
  const kept = rows.filter((e) => e.format !== 'q8_0').length;
  const errors = rows.some((e) => e.sqnr_db !== undefined);
  byId('ledger').innerHTML = rows.length === 0 ? '<p class="empty">No pass of this pipeline decided about formats.</p>' :
    `<p class="note">${rows.length - kept} of ${rows.length} projections in Q8_0, ${bytes(sum('bytes_before'))} → ${bytes(sum('bytes_after'))}.` +
    `${errors ? '' : ' SQNR is measured while weights are packed: explore a bundle to see it.'} Click a column to sort.</p>` +
    table(ledgerColumns, rows);
}
byId('ledger').addEventListener('click', (event) => {
  const column = event.target.closest('th')?.dataset.column;
  if (column === undefined) return;
  ledgerSort.down = ledgerSort.column === +column ? !ledgerSort.down : true;
  ledgerSort.column = +column;
  drawLedger();
});

// The same reason in every layer is one line.
function nearMisses(pass) {
  const groups = new Map();
  for (const text of pass.near_misses) {
    const key = text.replace(/\d+/g, '#');
    if (!groups.has(key)) groups.set(key, { text, count: 0 });
    ++groups.get(key).count;
  }
  return [...groups.values()];
}
const missCount = data.passes.reduce((n, p) => n + nearMisses(p).length, 0);

function drawMisses() {
  byId('misses').innerHTML = missCount === 0 ? '<p class="empty">No pattern nearly matched: each either applied, or was nowhere near.</p>' :
    '<p class="note">Places where all of a pattern but one statement matched, or a guard refused, and why. The same reason elsewhere is counted.</p>' +
    data.passes.filter((p) => p.near_misses.length).map((p) => `<h3>${escape(p.pass)}</h3>` + table([
      ['', (m) => (m.count > 1 ? '× ' + m.count : '')],
      ['', (m) => escape(m.text), 'text mono'],
    ], nearMisses(p))).join('');
}

function drawKernels() {
  const { labels, calls, predicted_us: predicted, obstacle } = data.kernels;
  if (obstacle) { byId('kernels').innerHTML = `<p class="empty">No plan for this graph: ${escape(obstacle)}</p>`; return; }
  const rows = labels.map((label, i) => ({ label, calls: calls[i], predicted: predicted[i], ...(data.measured?.kernels[i] ?? {}) }));
  rows.sort((x, y) => (y.us ?? y.predicted) * y.calls - (x.us ?? x.predicted) * x.calls);
  const columns = [['kernel', (k) => escape(k.label), 'text mono'], ['a step', (k) => '× ' + k.calls],
    ['predicted µs', (k) => fixed(k.predicted, 1)]];
  if (data.measured) {
    const known = (k, text) => (k.us === undefined ? '–' : text(k.us));
    columns.push(['measured µs', (k) => known(k, (us) => fixed(us, 1))], ['predicted / measured', (k) => known(k, (us) => percent(k.predicted / us, 0))],
      ['ms a step', (k) => known(k, (us) => fixed(us * k.calls / 1000, 3))],
      ['GB/s', (k) => (k.gb_s ? fixed(k.gb_s, 1) : '–')], ['of read peak', (k) => (k.peak ? percent(k.peak, 0) : '–')]);
  }
  const about = data.measured ? ` Times: ${escape(data.measured.about)}; ${data.measured.found} of ${labels.length} kernels are in the profile.` :
    ' Pass --profile to see measured times.';
  byId('kernels').innerHTML = `<p class="note">${calls.reduce((a, b) => a + b, 0)} kernels run per token behind the last pass, of ${labels.length} kinds.${about}</p>` + table(columns, rows);
}

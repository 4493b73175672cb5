// Columns: [name, cell of a row, class]. Cells are HTML.
function table(columns, rows, sums = []) {
  const line = (cells, tag) => cells.map(([html, kind]) => `<${tag} class="${kind ?? ''}">${html}</${tag}>`).join('');
  const body = (row, kind) => `<tr class="${kind}">${line(columns.map(([, cell, k]) => [cell(row), k]), 'td')}</tr>`;
  return `<table><thead><tr>${line(columns.map(([name, , k]) => [name, k]), 'th')}</tr></thead><tbody>` +
    rows.map((r) => body(r, '')).join('') + sums.map((r) => body(r, 'sum')).join('') + '</tbody></table>';
}

const label = (text) => `<span class="mono">${escape(text)}</span>`;
const swatch = (part) => `<i style="display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:7px;background:${colourOf(part)}"></i>`;
const tag = (bound) => `<span class="tag ${bound}">${bound}</span>`;

function bottleneckTable(list) {
  const longest = Math.max(...list.map((b) => b.now_ms), 1e-9);
  const bar = (b) => {
    const width = (ms) => (100 * ms / longest).toFixed(2) + '%';
    return `<div class="bar"><i style="width:${width(Math.min(b.bound_ms, b.now_ms))};background:var(--bound)"></i>` +
      `<i style="width:${width(b.gain_ms)};background:var(--gain)"></i></div>`;
  };
  const rows = list.map((b, i) => ({ ...b, rank: i + 1 }));
  const all = (name) => list.reduce((sum, b) => sum + b[name], 0);
  const sum = { rank: '', what: 'all', gain_ms: all('gain_ms'), gain_share: all('gain_share'), now_ms: all('now_ms'), bound_ms: all('bound_ms'), why: '', sum: true };
  return table([
    ['', (b) => b.rank],
    ['what', (b) => label(b.what), 'text'],
    ['gain ms/step', (b) => `<b>${fixed(b.gain_ms)}</b>`],
    ['of step', (b) => percent(b.gain_share)],
    ['', (b) => (b.sum ? '' : bar(b)), 'wide'],
    ['now ms', (b) => fixed(b.now_ms)],
    ['bound ms', (b) => fixed(b.bound_ms)],
    ['why', (b) => escape(b.why), 'text'],
  ], rows, [sum]);
}

function drawBottlenecks() {
  bodyOf('bottlenecks').innerHTML = `<h3>Decode</h3>${bottleneckTable(data.decode.bottlenecks)}` +
    `<h3>Prefill</h3>${bottleneckTable(data.prefill.bottlenecks)}`;
}

function kernelTable(phase) {
  return table([
    ['kernel', (k) => swatch(k.part) + label(k.label), 'text'],
    ['per step', (k) => k.calls_per_step],
    ['µs/call', (k) => fixed(k.us_per_call, 1)],
    ['ms/step', (k) => fixed(k.ms_per_step)],
    ['share', (k) => percent(k.share)],
    ['GB/s', (k) => (k.bytes_per_call > 0 ? fixed(k.gb_s, 1) : k.buffer_bytes_per_call > 0 ? `<span title="of buffers in the CPU's caches">(${fixed(k.buffer_bytes_per_call / k.us_per_call / 1e3, 1)})</span>` : '–')],
    ['of read peak', (k) => (k.bytes_per_call > 0 ? percent(k.share_of_read_peak, 0) : '–')],
    ['arithmetic', (k) => (k.ops_per_call === 0 ? '–' : k.gmac_s !== undefined ? fixed(k.gmac_s, 1) + ' GMAC/s' : fixed(k.gop_s, 2) + ' GFLOP/s')],
    ['workers', (k) => fixed(k.workers, 2)],
    ['bound by', (k) => tag(k.bound), 'text'],
  ], data[phase].kernels);
}

// The parts of the layers' attention, decode beside prefill.
function drawAttention() {
  const parts = data.decode.attention.map((d, i) => ({ ...d, prefill: data.prefill.attention[i] ?? d }));
  document.getElementById('attention').hidden = parts.length === 0;
  bodyOf('attention').innerHTML = table([
    ['part', (p) => escape(p.part), 'text'],
    ['decode ms/step', (p) => fixed(p.ms_per_step)],
    ['of step', (p) => percent(p.share)],
    ['prefill ms/step', (p) => fixed(p.prefill.ms_per_step)],
    ['of step', (p) => percent(p.prefill.share)],
  ], parts);
}

function drawKernels() {
  bodyOf('kernels').innerHTML = `<h3>Decode</h3>${kernelTable('decode')}<h3>Prefill</h3>${kernelTable('prefill')}`;
}

function drawWaiting() {
  const rows = ['decode', 'prefill'].map((phase) => ({ phase, ...data[phase].waiting }));
  bodyOf('waiting').innerHTML = table([
    ['mean step', (w) => w.phase, 'text'],
    ['wall ms', (w) => fixed(w.wall_ms)],
    ['× threads', (w) => fixed(w.workers_ms)],
    ['busy', (w) => fixed(w.busy_ms)],
    ['waiting', (w) => fixed(w.waiting_ms)],
    ['of workers', (w) => percent(w.waiting_share)],
    ['between stages', (w) => fixed(w.between_stages_ms)],
    ['of wall', (w) => percent(w.between_stages_share)],
  ], rows) + `<p class="note" style="margin-top:10px">Waiting is wall time × threads minus busy time. Between stages no kernel runs at all; the rest of it are workers without a tile while others still run one.</p>`;
}

function drawPhases() {
  const rows = Object.keys(data.decode.sections).map((name) => ({ name, p: data.prefill.sections[name], d: data.decode.sections[name] }));
  const total = rows.pop();
  bodyOf('phases').innerHTML = table([
    ['section', (r) => r.name, 'text'],
    ['prefill ms/token', (r) => fixed(r.p.ms_per_token, 4)],
    ['share', (r) => percent(r.p.share)],
    ['decode ms/token', (r) => fixed(r.d.ms_per_token, 4)],
    ['share', (r) => percent(r.d.share)],
    ['ratio', (r) => (r.p.ms_per_token > 0 ? fixed(r.d.ms_per_token / r.p.ms_per_token, 1) + '×' : '–')],
  ], rows, [total]);
}

function spreadTable() {
  const jitter = data.decode.jitter;
  const rows = [{ name: 'step', ...jitter.step }, { name: 'projection', ...jitter.projection },
    ...jitter.layers.map((l, i) => ({ name: `layer ${i}`, ...l }))];
  return '<div class="scroll">' + table([
    ['', (r) => r.name, 'text'],
    ['p50 ms', (r) => fixed(r.p50_ms)],
    ['p90', (r) => fixed(r.p90_ms)],
    ['p99', (r) => fixed(r.p99_ms)],
    ['max', (r) => fixed(r.max_ms)],
    ['max/min', (r) => fixed(r.max_over_min, 2)],
  ], rows) + '</div>';
}

function slowTable() {
  const slow = data.slow_steps;
  const left = slow.undisturbed_steps > 0 ? `; of the ${slow.undisturbed_steps} of ${slow.of} that lost next to nothing to others ${fixed(slow.undisturbed.p99_ms / slow.undisturbed.p50_ms)}` : '';
  const { p50_ms, p99_ms } = data.decode.jitter.step;
  const note = `<p class="note" style="margin-top:10px">p99 / p50 of a step ${fixed(p99_ms / p50_ms)}${left}. ${slow.steps.length} steps took longer than ${slow.beyond} × the median, together ${fixed(slow.beyond_median_ms)} ms beyond it.</p>`;
  if (slow.steps.length === 0) return note;
  const rows = Object.entries(slow.causes_ms).map(([cause, ms]) => ({ cause, ms, steps: slow.steps.filter((s) => s.cause === cause).length }));
  return note + table([
    ['cause of slow steps', (r) => escape(r.cause), 'text'],
    ['steps', (r) => r.steps],
    ['ms, at the most', (r) => fixed(r.ms)],
    ['share', (r) => percent(r.ms / slow.beyond_median_ms)],
  ], rows);
}

function stepTable(phase) {
  const { steps, sections } = data[phase];
  const names = ['Embedding', 'Layers', 'Norm', 'Projection', 'Total'];
  const rows = steps.map((s, i) => ({ name: i + 1, at: s.position, tokens: s.tokens, ...Object.fromEntries(names.map((n) => [n, fixed(s[n])])) }));
  const sum = (name, cell) => ({ name, at: '', tokens: '', ...Object.fromEntries(names.map((n) => [n, cell(sections[n])])) });
  return table([['step', (r) => r.name, 'text'], ['position', (r) => r.at], ['tokens', (r) => r.tokens],
    ...names.map((n) => [n + (n === 'Total' ? ' ms' : ''), (r) => r[n]])], rows, [
    sum('mean', (s) => fixed(s.mean_ms)), sum('min', (s) => fixed(s.min_ms)), sum('max', (s) => fixed(s.max_ms)),
    sum('variance, ms²', (s) => s.variance_ms2.toPrecision(3)), sum('share', (s) => percent(s.share)),
  ]);
}

function drawSteps() {
  bodyOf('steps').innerHTML = `<div class="pair"><div><h3>Decode (the summary leaves out the first, cold step)</h3><div class="scroll">${stepTable('decode')}</div></div>` +
    `<div><h3>Prefill</h3><div class="scroll">${stepTable('prefill')}</div></div></div>`;
}

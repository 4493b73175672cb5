// The steps as a histogram and one after the other; the layers as columns.
function warmSteps() {
  const all = data.decode.steps.map((s, i) => ({ ...s, number: i + 1 }));
  return all.length > 1 ? all.slice(1) : all;
}

function histogram(steps, stats) {
  const width = 620, height = 210, left = 40, top = 22, bottom = 34;
  // A few steps that were far slower must not squeeze all others into one column: the last one takes them in.
  const cut = stats.max_ms > 3 * stats.p50_ms;
  const low = stats.min_ms, high = cut ? 3 * stats.p50_ms : Math.max(stats.max_ms, low * 1.0001);
  const count = Math.max(5, Math.min(40, Math.ceil(2 * Math.sqrt(steps.length)) + 4));
  const bins = Array.from({ length: count }, () => 0);
  for (const s of steps) bins[Math.min(count - 1, Math.floor((s.Total - low) / (high - low) * count))]++;
  const most = Math.max(...bins);
  const X = (ms) => left + (ms - low) / (high - low) * (width - left - 12);
  const Y = (n) => height - bottom - n / most * (height - top - bottom);
  let svg = '';
  for (const n of ticks(0, most, 4).filter(Number.isInteger)) {
    svg += `<line x1="${left}" x2="${width - 12}" y1="${Y(n)}" y2="${Y(n)}" stroke="var(--grid)"/>` +
      `<text x="${left - 6}" y="${Y(n) + 4}" text-anchor="end">${n}</text>`;
  }
  bins.forEach((n, i) => {
    const a = low + (high - low) * i / count, b = low + (high - low) * (i + 1) / count;
    const info = `${n} step${n === 1 ? '' : 's'} from ${fixed(a)} to ${fixed(cut && i === count - 1 ? stats.max_ms : b)} ms`;
    svg += `<rect x="${X(a) + 0.7}" width="${X(b) - X(a) - 1.4}" y="${Y(n)}" height="${Y(0) - Y(n)}" rx="1.5" fill="var(--accent)" fill-opacity="0.8" data-tip="${info}"/>`;
  });
  for (const t of ticks(low, high, 6)) svg += `<text x="${X(t)}" y="${height - bottom + 15}" text-anchor="middle">${short(t)}</text>`;
  svg += `<text x="${(left + width) / 2}" y="${height - 4}" text-anchor="middle">ms per step${cut ? ', the last column: and more' : ''}</text>`;
  let lastEnd = -1, row = 0;
  for (const name of ['p50', 'p90', 'p99']) {
    const x = X(Math.min(stats[name + '_ms'], high));
    row = x < lastEnd ? row + 1 : 0;
    lastEnd = x + 26;
    svg += `<line x1="${x}" x2="${x}" y1="${top - 4 + row * 12}" y2="${height - bottom}" stroke="var(--gain)" stroke-width="1.5" stroke-dasharray="3 3"/>` +
      `<text class="strong" x="${x + 3}" y="${top - 6 + row * 12}" ${x > width - 40 ? `text-anchor="end" dx="-6"` : ''}>${name}</text>`;
  }
  return `<svg viewBox="0 0 ${width} ${height}">${svg}</svg>`;
}

// Every step as a column of its sections; what lies between stages is left white below the total.
function stepColumns() {
  const steps = data.decode.steps;
  const names = ['Embedding', 'Layers', 'Norm', 'Projection'];
  const shade = { Embedding: colourOf('Embedding'), Layers: '#60a5fa', Norm: colourOf('Norm'), Projection: colourOf('Projection') };
  const width = 620, height = 190, left = 40, top = 8, bottom = 34;
  const most = Math.max(...steps.map((s) => s.Total)) * 1.02;
  const Y = (ms) => height - bottom - ms / most * (height - top - bottom);
  const column = (width - left - 12) / steps.length;
  let svg = '';
  for (const t of ticks(0, most, 5)) {
    svg += `<line x1="${left}" x2="${width - 12}" y1="${Y(t)}" y2="${Y(t)}" stroke="var(--grid)"/>` +
      `<text x="${left - 6}" y="${Y(t) + 4}" text-anchor="end">${short(t)}</text>`;
  }
  steps.forEach((s, i) => {
    const info = `<b>step ${i + 1}${i === 0 ? ' (cold)' : ''}</b> at position ${s.position}<br>` +
      names.map((n) => `${n} ${fixed(s[n])} ms`).join('<br>') +
      `<br>between stages ${fixed(s.between_stages_ms)} ms<br><b>Total ${fixed(s.Total)} ms</b>`;
    const x = left + i * column, w = Math.max(column - (column > 4 ? 1 : 0), 0.3);
    let sum = 0;
    svg += `<g data-tip="${escape(info)}"><rect x="${x}" y="${Y(s.Total)}" width="${w}" height="${Y(0) - Y(s.Total)}" fill="var(--gain)"/>`;
    for (const n of names) {
      svg += `<rect x="${x}" y="${Y(sum + s[n])}" width="${w}" height="${Y(sum) - Y(sum + s[n])}" fill="${shade[n]}"/>`;
      sum += s[n];
    }
    svg += '</g>';
  });
  for (const t of ticks(1, steps.length, 8).filter((t) => Number.isInteger(t) && t > 0))
    svg += `<text x="${left + (t - 0.5) * column}" y="${height - bottom + 15}" text-anchor="middle">${t}</text>`;
  svg += `<text x="${(left + width) / 2}" y="${height - 4}" text-anchor="middle">step (ms by section)</text>`;
  const legend = names.map((n) => `<span><i style="background:${shade[n]}"></i>${n}</span>`).join('') +
    '<span><i style="background:var(--gain)"></i>between stages</span>';
  return `<svg viewBox="0 0 ${width} ${height}">${svg}</svg><div class="keys">${legend}</div>`;
}

function drawJitter() {
  bodyOf('jitter').innerHTML = histogram(warmSteps(), data.decode.jitter.step) + stepColumns() + slowTable() + spreadTable();
}

function drawLayers() {
  const layers = data.decode.layers;
  if (layers.length === 0) return;
  const parts = [...new Set(layers.flatMap((l) => Object.keys(l.parts)))];
  const width = 1290, height = 210, left = 46, top = 8, bottom = 34;
  const most = Math.max(...layers.map((l) => l.total.mean_ms)) * 1.05;
  const Y = (ms) => height - bottom - ms / most * (height - top - bottom);
  const column = (width - left - 8) / layers.length;
  const w = Math.min(column * 0.72, 60);
  let svg = '';
  for (const t of ticks(0, most, 5)) {
    svg += `<line x1="${left}" x2="${width - 8}" y1="${Y(t)}" y2="${Y(t)}" stroke="var(--grid)"/>` +
      `<text x="${left - 6}" y="${Y(t) + 4}" text-anchor="end">${short(t)}</text>`;
  }
  layers.forEach((l, i) => {
    const x = left + (i + 0.5) * column - w / 2;
    const info = `<b>layer ${i}</b><br>` +
      parts.filter((p) => l.parts[p]).map((p) => `${escape(p)} ${fixed(l.parts[p].mean_ms)} ms (${percent(l.parts[p].share)})`).join('<br>') +
      `<br>p50 ${fixed(l.total.p50_ms)}, p99 ${fixed(l.total.p99_ms)}, max ${fixed(l.total.max_ms)} ms`;
    let sum = 0;
    svg += `<g data-tip="${escape(info)}">`;
    for (const p of parts) {
      const ms = l.parts[p]?.mean_ms ?? 0;
      svg += `<rect x="${x}" y="${Y(sum + ms)}" width="${w}" height="${Y(sum) - Y(sum + ms)}" fill="${colourOf(p)}"/>`;
      sum += ms;
    }
    svg += `</g>`;
    if (column > 16 || i % 5 === 0) svg += `<text x="${x + w / 2}" y="${height - bottom + 15}" text-anchor="middle">${i}</text>`;
  });
  svg += `<text x="${(left + width) / 2}" y="${height - 4}" text-anchor="middle">layer (mean ms per step)</text>`;
  bodyOf('layers').innerHTML = `<svg viewBox="0 0 ${width} ${height}">${svg}</svg>` + keys(parts);
}

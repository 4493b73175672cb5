function drawRoofline() {
  const phases = ['decode', 'prefill'];
  const points = phases.flatMap((phase) => data[phase].kernels
    .filter((k) => k.bytes_per_call > 0 && k.ops_per_call > 0)
    .map((k) => ({ ...k, phase, x: k.ops_per_call / k.bytes_per_call, y: k.gop_s })));
  if (points.length === 0) return;
  points.forEach((p, i) => { p.number = i + 1; });
  const read = data.peaks.read_gb_s;
  const ceilings = [
    { name: `int8 ${short(data.peaks.int8_gmac_s)} G multiply-adds/s`, y: 2 * data.peaks.int8_gmac_s },
    { name: `matrix unit ${short(data.peaks.unit_gmac_s)} G multiply-adds/s`, y: 2 * data.peaks.unit_gmac_s },
    { name: `f32 ${short(data.peaks.f32_gflop_s)} GFLOP/s`, y: data.peaks.f32_gflop_s },
  ].filter((c) => c.y > 0);
  const highest = Math.max(...ceilings.map((c) => c.y));
  const xs = points.map((p) => p.x).concat(highest / read);
  const low = [Math.min(...xs) / 4, Math.min(...points.map((p) => p.y)) / 3];
  const high = [Math.max(...xs) * 4, Math.max(highest, ...points.map((p) => p.y)) * 2.2];

  const width = 620, height = 400, left = 52, right = 12, top = 10, bottom = 40;
  const log = (v, from, to, a, b) => a + (Math.log(v / from) / Math.log(to / from)) * (b - a);
  const X = (v) => log(v, low[0], high[0], left, width - right);
  const Y = (v) => log(v, low[1], high[1], height - bottom, top);
  let svg = '';
  for (let e = Math.ceil(Math.log10(low[0])); 10 ** e <= high[0]; ++e) {
    svg += `<line x1="${X(10 ** e)}" x2="${X(10 ** e)}" y1="${top}" y2="${height - bottom}" stroke="var(--grid)"/>` +
      `<text x="${X(10 ** e)}" y="${height - bottom + 15}" text-anchor="middle">${10 ** e}</text>`;
  }
  for (let e = Math.ceil(Math.log10(low[1])); 10 ** e <= high[1]; ++e) {
    svg += `<line x1="${left}" x2="${width - right}" y1="${Y(10 ** e)}" y2="${Y(10 ** e)}" stroke="var(--grid)"/>` +
      `<text x="${left - 6}" y="${Y(10 ** e) + 4}" text-anchor="end">${10 ** e}</text>`;
  }
  svg += `<text x="${(left + width) / 2}" y="${height - 6}" text-anchor="middle">operations per byte</text>` +
    `<text transform="translate(12 ${height / 2}) rotate(-90)" text-anchor="middle">G operations per second</text>`;
  const start = Math.max(low[0], low[1] / read);
  svg += `<line x1="${X(start)}" y1="${Y(read * start)}" x2="${X(highest / read)}" y2="${Y(highest)}" stroke="#0d9488" stroke-width="2"/>`;
  const angle = Math.atan2(Y(highest) - Y(read * start), X(highest / read) - X(start)) * 180 / Math.PI;
  const middle = Math.exp((2 * Math.log(start) + Math.log(highest / read)) / 3);
  svg += `<text transform="translate(${X(middle)} ${Y(read * middle) - 7}) rotate(${angle})" text-anchor="middle">read ${short(read)} GB/s</text>`;
  for (const c of ceilings) {
    svg += `<line x1="${X(c.y / read)}" x2="${width - right}" y1="${Y(c.y)}" y2="${Y(c.y)}" stroke="#7c3aed" stroke-width="1.5" stroke-dasharray="${c.y === highest ? '' : '5 4'}"/>` +
      `<text x="${width - right - 4}" y="${Y(c.y) - 5}" text-anchor="end">${escape(c.name)}</text>`;
  }
  // Numbers stand beside their points, pushed down where others are in the way: by a little more than they are held
  // to, or rounding could have one pushed by the same other for ever.
  const placed = [];
  for (const p of [...points].sort((a, b) => b.y - a.y)) {
    const x = X(p.x), y = Y(p.y), r = 4 + 10 * Math.sqrt(Math.min(p.share, 1));
    let labelY = y;
    for (let moved = true; moved;) {
      moved = false;
      for (const q of placed) {
        if (Math.abs(q.x - x) < 40 && Math.abs(q.labelY - labelY) < 12) { labelY = q.labelY + 12.1; moved = true; }
      }
    }
    placed.push({ x, labelY });
    const info = `<b>${escape(p.label)}</b><br>${p.phase}: ${short(p.gop_s)} Gop/s at ${short(p.x)} per byte, ${short(p.gb_s)} GB/s` +
      `<br>${percent(p.ms_per_step > 0 ? Math.min(p.roofline_ms_per_step / p.ms_per_step, 9.99) : 0, 0)} of its roofline, ${percent(p.share)} of the step`;
    const shape = p.phase === 'decode' ? `<circle cx="${x}" cy="${y}" r="${r}"` :
      `<path d="M${x} ${y - r * 1.2}L${x + r * 1.2} ${y}L${x} ${y + r * 1.2}L${x - r * 1.2} ${y}Z"`;
    svg += `${shape} fill="${colourOf(p.part)}" fill-opacity="0.75" stroke="var(--card)" data-tip="${escape(info)}"/>`;
    if (Math.abs(labelY - y) > 3) svg += `<line x1="${x}" y1="${y}" x2="${x + 18}" y2="${labelY}" stroke="var(--soft)" stroke-width="0.6"/>`;
    svg += `<text class="strong" x="${x + Math.max(r + 3, 19)}" y="${labelY + 4}">${p.number}</text>`;
  }
  const legend = points.map((p) =>
    `<li><b>${p.number}</b><i style="color:${colourOf(p.part)}">${p.phase === 'decode' ? '●' : '◆'}</i>` +
    `<div class="mono">${escape(p.label)}</div>` +
    `<span>${percent(p.ms_per_step > 0 ? p.roofline_ms_per_step / p.ms_per_step : 0, 0)} of roofline</span></li>`).join('');
  bodyOf('roofline').innerHTML = `<svg viewBox="0 0 ${width} ${height}">${svg}</svg><ol class="legend">${legend}</ol>`;
}

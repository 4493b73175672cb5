// The part as boxes and arrows, laid out by lmc.
function drawPicture() {
  const [b, a] = currentMember();
  const two = changedBy(selected.step);
  const side = two && b >= 0 && (selected.picture === 'before' || a < 0) ? 'before' : 'after';
  const part = partOf(side === 'before' ? b : a);
  const bar = document.querySelector('#picture .bar');
  const canvas = document.querySelector('#picture .canvas');
  bar.innerHTML = `<b>${escape(part?.name || 'the graph')}</b>` +
    (two ? ['before', 'after'].map((s) => `<button data-side="${s}" class="${s === side ? 'on' : ''}">${s}</button>`).join('') : '') +
    `<button data-zoom="-" aria-label="smaller">−</button><button data-zoom="+" aria-label="larger">+</button>`;
  if (!part) { canvas.innerHTML = ''; return; }
  const marked = new Map();
  if (two) {
    for (const [i, j, mark] of data.rows[currentGroup().rows]) {
      const index = side === 'before' ? i : j;
      if (mark && index >= 0) marked.set(index, marks[mark]);
    }
  }
  const { picture } = part.kind;
  const heat = heats[selected.heat];
  const most = hottest(part);
  const opOf = (box) => picture.boxes[box][0];
  const ends = (e) => [e[0], e[1]].map(opOf).filter((op) => op >= 0).map((op) => `${part.id}:${op}`).join(' ');
  let svg = '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto"><path d="M0 0L8 4L0 8Z" fill="var(--bound)"/></marker></defs>';
  for (const e of picture.edges) svg += `<path class="edge" d="${e[2]}" marker-end="url(#head)" data-ends="${ends(e)}"/>`;
  for (const [op, x, y, w, h, kind, title, lines] of picture.boxes) {
    const name = typeof title === 'number' ? '%' + part.names[title] : title;
    const warm = op >= 0 && heat.of ? warmth(heat.of(part, part.kind.ops[op], op), most) : 0;
    const style = warm > 0 ? ` style="fill:color-mix(in srgb, ${heatColour(warm)} ${Math.round(20 + 60 * warm)}%, var(--card))"` : '';
    svg += `<g class="node ${marked.get(op) ?? ''}"${op >= 0 ? ` data-part="${part.id}" data-op="${op}"` : ''}>` +
      `<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="${h}" rx="${op >= 0 ? 5 : 14}"${style}/>` +
      `<text class="title" x="${x + w / 2}" y="${y + 17}">${escape(name)}</text>` +
      lines.map((line, i) => `<text x="${x + w / 2}" y="${y + 31 + 14 * i}">${escape(filled(line, part))}</text>`).join('') + '</g>';
  }
  const fit = Math.min(1, (canvas.clientWidth - 18) / picture.width);
  const scale = Math.max(0.5, fit) * zoom;
  canvas.innerHTML = `<svg viewBox="0 0 ${picture.width} ${picture.height}" width="${picture.width * scale}" height="${picture.height * scale}">${svg}</svg>`;
}

let zoom = 1;
document.querySelector('#picture .bar').addEventListener('click', (event) => {
  const { side, zoom: by } = event.target.dataset;
  if (side) selected.picture = side;
  if (by) zoom = Math.min(4, Math.max(0.4, zoom * (by === '+' ? 1.25 : 0.8)));
  drawPicture();
});
addEventListener('resize', () => drawPicture());

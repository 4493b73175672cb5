function drawTimeline() {
  const step = data.timeline;
  if (!step) return;
  const rowHeight = 44, gap = 8, left = 74, width = 1290, top = 6;
  const workers = [...new Set([...Array(data.threads).keys(), ...step.tiles.map((t) => t[2])])].sort((a, b) => a - b);
  const bottom = top + workers.length * (rowHeight + gap);
  const plot = width - left - 8;
  let from = 0, to = step.total_us;

  const render = () => {
    const scale = plot / (to - from);
    const at = (us) => left + (us - from) * scale;
    let svg = '';
    for (const t of ticks(from, to, 10)) {
      svg += `<line x1="${at(t)}" x2="${at(t)}" y1="${top}" y2="${bottom}" stroke="var(--grid)"/>` +
        `<text x="${at(t)}" y="${bottom + 14}" text-anchor="middle">${to - from > 5000 ? short(t / 1000) + ' ms' : Math.round(t * 10) / 10 + ' µs'}</text>`;
    }
    workers.forEach((w, row) => {
      const y = top + row * (rowHeight + gap);
      svg += `<rect x="${left}" y="${y}" width="${plot}" height="${rowHeight}" fill="var(--grid)" rx="3"/>` +
        `<text class="strong" x="${left - 10}" y="${y + rowHeight / 2 + 4}" text-anchor="end">worker ${w}</text>`;
    });
    for (const [s, tile, worker, begin, us] of step.tiles) {
      if (begin + us < from || begin > to) continue;
      const stage = step.stages[s];
      const x0 = Math.max(at(begin), left), x1 = Math.min(at(begin + us), left + plot);
      // Neighbours stay apart only while there is room for it.
      const box = Math.max(x1 - x0 - (x1 - x0 > 4 ? 0.6 : 0), 0.25);
      const y = top + workers.indexOf(worker) * (rowHeight + gap);
      const place = stage.layer >= 0 ? `layer ${stage.layer}, ${stage.part}` : stage.part;
      const info = `<b>${escape(stage.label)}</b><br>${escape(place)}<br>tile ${tile}: ${micros(us)} from ${micros(begin)}` +
        `<br>kernel: ${micros(stage.us)}` + (stage.gb_s > 0 ? `, ${fixed(stage.gb_s, 1)} GB/s` : '') +
        `, ${fixed(stage.workers, 2)} workers busy`;
      svg += `<rect x="${x0.toFixed(2)}" y="${y}" width="${box.toFixed(2)}" height="${rowHeight}" ` +
        `fill="${colourOf(stage.part)}" data-tip="${escape(info)}"/>`;
    }
    holder.innerHTML = `<svg viewBox="0 0 ${width} ${bottom + 20}">${svg}</svg>`;
  };

  const parts = [...new Set(step.stages.map((s) => s.part))];
  bodyOf('timeline').innerHTML = `<div class="holder"></div>` + keys(parts) +
    `<p class="note">The step at position ${step.position}, ${micros(step.total_us)}: of those recorded tile by tile, the one nearest to the median.</p>`;
  const holder = document.querySelector('#timeline .holder');
  render();

  const show = (a, b) => {
    const span = Math.min(Math.max(b - a, 2), step.total_us);
    from = Math.min(Math.max(a, 0), step.total_us - span);
    to = from + span;
    render();
  };
  const perPixel = () => (to - from) / (holder.clientWidth * plot / width);
  holder.addEventListener('wheel', (event) => {
    event.preventDefault();
    const box = holder.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * width;
    const here = from + (to - from) * Math.min(Math.max((x - left) / plot, 0), 1);
    const zoom = Math.exp(event.deltaY * 0.002);
    show(here - (here - from) * zoom, here + (to - here) * zoom);
  }, { passive: false });
  let dragged = null;
  holder.addEventListener('pointerdown', (event) => { dragged = event.clientX; });
  addEventListener('pointerup', () => { dragged = null; });
  addEventListener('pointermove', (event) => {
    if (dragged === null) return;
    const by = (dragged - event.clientX) * perPixel();
    dragged = event.clientX;
    show(from + by, to + by);
  });
  holder.addEventListener('dblclick', () => show(0, step.total_us));
}

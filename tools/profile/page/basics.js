'use strict';
const data = JSON.parse(document.getElementById('data').textContent);

const byId = (id) => document.getElementById(id);
const bodyOf = (id) => document.querySelector(`#${id} .body`);
const escape = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const fixed = (x, digits = 3) => x.toFixed(digits);
const percent = (share, digits = 1) => (100 * share).toFixed(digits) + '%';
const micros = (us) => (us >= 1000 ? fixed(us / 1000, 3) + ' ms' : fixed(us, 1) + ' µs');
const short = (x) => (x === 0 ? '0' : x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toPrecision(2));

// Every part of a model has one colour everywhere; those without a fixed one take the next.
const colours = {
  Embedding: '#94a3b8', attention: '#3b82f6', ffn: '#f59e0b', Norm: '#10b981', Projection: '#8b5cf6',
};
const spare = ['#ec4899', '#14b8a6', '#84cc16', '#ef4444', '#a16207', '#0ea5e9'];
let spareUsed = 0;
const colourOf = (part) => (colours[part] ??= spare[spareUsed++ % spare.length]);

const keys = (parts) =>
  '<div class="keys">' +
  parts.map((p) => `<span><i style="background:${colourOf(p)}"></i>${escape(p)}</span>`).join('') +
  '</div>';

// Anything with data-tip shows it, as HTML, beside the pointer.
const tip = byId('tip');
document.addEventListener('pointermove', (event) => {
  const owner = event.target.closest?.('[data-tip]');
  tip.hidden = !owner;
  if (!owner) return;
  tip.innerHTML = owner.dataset.tip;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 18 + tip.offsetHeight < innerHeight;
  tip.style.left = Math.max(8, left) + 'px';
  tip.style.top = (below ? event.clientY + 18 : event.clientY - 12 - tip.offsetHeight) + 'px';
});

// 1, 2 or 5 times a power of ten: about `count` steps from low to high.
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step); i * step <= high * 1.0000001; ++i) out.push(i * step);
  return out;
}

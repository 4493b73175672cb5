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

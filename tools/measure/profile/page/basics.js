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

// 1, 2 or 5 times a power of ten: about `count` steps from low to high.
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step); i * step <= high * 1.0000001; ++i) out.push(i * step);
  return out;
}

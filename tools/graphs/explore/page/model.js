// What the tables say, put together: parts with their real names, and what is selected.
const FIRST = 0; // the step before the first pass
const selected = { step: 0, group: 0, member: 0, view: 'ir', heat: 'none', only: false, picture: 'after' };

const steps = [{ name: data.first.name, doc: data.first.doc, state: 0 }].concat(
  data.passes.map((p, i) => ({ ...p, name: p.pass, state: data.state_after[i] })));
const stateOf = (step) => data.states[steps[step].state];
const changedBy = (step) => step > FIRST && steps[step].state !== steps[step - 1].state;
const diffOf = (step) => (changedBy(step) ? data.diffs[steps[step].state - 1] : null);
const groupsOf = (step) => (diffOf(step) ?? stateOf(step)).groups;

// A part of one state: {id, kind, name, layer, names}.
const partOf = (id) => {
  if (id < 0) return null;
  const [kind, name, layer, names] = data.parts[id];
  return { id, kind: data.kinds[kind], kindId: kind, name, layer, names };
};
const filled = (text, part) =>
  part.layer < 0 ? text : text.replace('{}', part.layer).replace('{-1}', part.layer - 1);
const operandName = (part, operand) =>
  (typeof operand === 'string' ? filled(operand, part) : '%' + part.names[operand]);

// Weights without the part of their name that all weights of the layer have: it stands above.
const shortWeight = (operand, part) => {
  const cut = operand.indexOf('{}.');
  return part.layer >= 0 && cut > 0 ? '@…\u2060' + operand.slice(cut + 3) : filled(operand, part);
};

function statement(part, op) {
  const out = op.out.map((v) => '%' + part.names[v]).join(', ');
  const operands = op.in.map((v) => operandName(part, v)).join(', ');
  return `${out} = ${op.op}(${operands})` + (op.attrs ? ` {${op.attrs}}` : '') +
    ' : ' + op.out.map((v) => part.kind.types[v]).join(', ');
}

const currentGroup = () => groupsOf(selected.step)[selected.group];
const currentMember = () => currentGroup()?.members[selected.member] ?? [-1, -1];

// Kernels are known of the last state alone.
const isLast = (step) => steps[step].state === data.states.length - 1;
function kernelOf(part, index) {
  const number = isLast(selected.step) ? data.kernels.of_part[part.id]?.[index] ?? -1 : -1;
  if (number < 0) return null;
  return { number, label: data.kernels.labels[number], calls: data.kernels.calls[number], predicted: data.kernels.predicted_us[number], measured: data.measured?.kernels[number] };
}

const heats = {
  none: { name: 'off' },
  bytes: { name: 'weight bytes', of: (part, op) => op.wb ?? 0, text: (x) => bytes(x) },
  flops: { name: 'operations', of: (part, op) => op.fl ?? 0, text: (x) => metric(x) },
  predicted: { name: 'predicted time', of: (part, op) => op.us ?? 0, text: (x) => duration(x) },
  measured: { name: 'measured time', of: (part, op, i) => kernelOf(part, i)?.measured?.us ?? 0, text: (x) => duration(x) },
};
if (!data.measured) delete heats.measured;

const bytes = (n) => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let u = 0;
  for (; n >= 1000 && u + 1 < units.length; ++u) n /= 1000;
  return (u === 0 ? n.toFixed(0) : n.toFixed(2)) + ' ' + units[u];
};
const duration = (us) => (us >= 1000 ? short(us / 1000) + ' ms' : short(us) + ' µs');
const metric = (n) => {
  const units = ['', ' k', ' M', ' G', ' T'];
  let u = 0;
  for (; n >= 1000 && u + 1 < units.length; ++u) n /= 1000;
  return (u === 0 ? n.toFixed(0) : n.toFixed(1)) + units[u];
};
// 0 … 1 on a scale where a tenth of the hottest is still seen.
const warmth = (x, most) => (x > 0 && most > 0 ? Math.sqrt(x / most) : 0);
const heatColour = (w) => `color-mix(in srgb, #ef4444 ${Math.round(100 * w)}%, #fbbf24)`;
const hottest = (part) => {
  const heat = heats[selected.heat];
  return heat.of ? Math.max(0, ...part.kind.ops.map((op, i) => heat.of(part, op, i))) : 0;
};

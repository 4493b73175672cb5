// The pipeline on the left, and the parts of the model to choose from.
function drawPipeline() {
  const first = data.states[0].totals;
  byId('pipeline').innerHTML = steps.map((s, i) => {
    const idle = i > 0 && !s.changed;
    const t = data.states[s.state].totals;
    const number = (name, before, after, text) => (before === after ? '' : `<div>${name} ${text(before)} → <b>${text(after)}</b></div>`);
    let delta = '';
    if (i === 0) delta = `<div>${t.ops} ops, ${t.linears} linears${t.kernels ? `, ${t.kernels} kernels` : ''}</div><div>${bytes(t.weight_bytes)} of weights a token</div>`;
    else if (!idle) {
      const before = data.states[steps[i - 1].state].totals;
      const known = changedBy(i) && before.kernels && t.kernels;
      delta = number('ops', s.ops_before, s.ops_after, String) + number('linears', s.linears_before, s.linears_after, String) +
        (known ? number('kernels', before.kernels, t.kernels, String) : '') +
        number('weights', s.weight_bytes_before, s.weight_bytes_after, bytes) +
        (known && Math.abs(before.us - t.us) > 0.005 * before.us ? number('predicted', before.us, t.us, duration) : '');
    }
    const share = first.weight_bytes > 0 ? Math.min(1, (i === 0 ? first.weight_bytes : s.weight_bytes_after) / Math.max(first.weight_bytes, steps[1]?.weight_bytes_before ?? 0)) : 0;
    return `<button class="pass${idle ? ' idle' : ''}${i === selected.step ? ' on' : ''}" data-step="${i}" title="${escape(s.doc ?? '')}">` +
      `<span class="name">${escape(s.name)}${i > 0 ? `<i>${s.applications ? '× ' + s.applications : ''}</i>` : ''}</span>` +
      (delta ? `<div class="delta">${delta}</div><div class="weight"><i style="width:${100 * share}%"></i></div>` : '') + '</button>';
  }).join('');
}
byId('pipeline').addEventListener('click', (event) => {
  const button = event.target.closest('[data-step]');
  if (button) goTo(+button.dataset.step);
});

function drawAbout() {
  const s = steps[selected.step], d = diffOf(selected.step);
  const words = [];
  if (s.summary) words.push(escape(s.summary));
  if (s.exact === false) words.push('results change by more than rounding');
  for (const r of s.remarks ?? []) words.push(escape(r));
  for (const c of s.checks ?? []) words.push('check: ' + escape(c));
  for (const n of (d?.notes ?? []).slice(0, 4)) words.push(escape(n));
  if ((d?.notes.length ?? 0) > 4) words.push(`and ${d.notes.length - 4} more of weights and inputs`);
  if (selected.step > 0 && !s.changed) words.push('changed nothing here');
  if (s.changed && !changedBy(selected.step)) words.push(escape(data.note));
  byId('about').innerHTML = `<h2>${escape(s.name)}</h2><span>${escape(s.doc ?? '')}</span>` +
    `<p>${d ? `<span class="counts" style="margin:0"><b class="minus">−${d.counts[0]}</b><b class="plus">+${d.counts[1]}</b><b class="tilde">~${d.counts[2]}</b></span>` : ''}${words.join(' · ')}</p>`;
}

const touches = (group) => group.rows !== undefined && data.rows[group.rows].some((r) => r[2] !== 0);

function drawParts() {
  const groups = groupsOf(selected.step);
  const members = currentGroup()?.members ?? [];
  const names = members.map(([b, a]) => partOf(a >= 0 ? a : b).name);
  byId('parts').innerHTML = groups.map((g, i) =>
    `<button data-group="${i}" class="${i === selected.group ? 'on' : ''}${touches(g) ? ' changed' : ''}">${escape(g.label)}</button>`).join('') +
    (members.length > 1 ? `<span class="picker"><button data-by="-1" aria-label="layer before">‹</button><select aria-label="layer">` +
      names.map((n, i) => `<option value="${i}"${i === selected.member ? ' selected' : ''}>${escape(n)}</option>`).join('') +
      `</select><button data-by="1" aria-label="next layer">›</button></span>` : '') +
    (changedBy(selected.step) ? `<label class="only"><input type="checkbox"${selected.only ? ' checked' : ''}> only changes</label>` : '');
}
byId('parts').addEventListener('click', (event) => {
  const { group, by } = event.target.dataset;
  if (group !== undefined) choose(+group, 0);
  if (by) stepLayer(+by);
});
byId('parts').addEventListener('change', (event) => {
  if (event.target.type === 'checkbox') { selected.only = event.target.checked; draw(); }
  else choose(selected.group, +event.target.value);
});

function choose(group, member) {
  selected.group = group;
  selected.member = member;
  draw();
}
function stepLayer(by) {
  const n = currentGroup().members.length;
  choose(selected.group, (selected.member + by + n) % n);
}

// The part that was shown stays shown, whatever group it is in now; else the first layer, or what changed.
function find(name) {
  const groups = groupsOf(selected.step);
  for (let g = 0; g < groups.length; ++g) {
    const m = groups[g].members.findIndex(([b, a]) => [b, a].some((id) => id >= 0 && data.parts[id][1] === name));
    if (m >= 0) return [g, m];
  }
  return null;
}
const shownName = () => {
  const [b, a] = currentMember();
  return partOf(a >= 0 ? a : b)?.name;
};
function firstInteresting() {
  const groups = groupsOf(selected.step);
  const layer = (g) => data.parts[Math.max(...g.members[0])][2] >= 0;
  let at = groups.findIndex((g) => touches(g) && layer(g));
  if (at < 0) at = groups.findIndex(touches);
  if (at < 0) at = groups.findIndex(layer);
  return [Math.max(at, 0), 0];
}
function goTo(step, name = shownName() ?? null) {
  selected.step = Math.min(Math.max(step, 0), steps.length - 1);
  selected.view = 'ir';
  const kept = name === null ? null : find(name);
  const unchanged = kept && changedBy(selected.step) && !touches(groupsOf(selected.step)[kept[0]]);
  [selected.group, selected.member] = kept && !unchanged ? kept : firstInteresting();
  draw();
}

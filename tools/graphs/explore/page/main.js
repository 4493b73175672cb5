// What is shown, and the keys. The address names it, so that a link or a reload shows the same again.
const views = [
  ['ir', 'IR', () => ''],
  ['ledger', 'Quantisation', () => data.ledger.length],
  ['misses', 'Why not', () => missCount],
  ['kernels', 'Kernels', () => data.kernels.labels.length],
];

function drawTabs() {
  byId('tabs').innerHTML = views.map(([id, name, count]) =>
    `<button role="tab" data-view="${id}" class="${id === selected.view ? 'on' : ''}">${name} <small>${count() || ''}</small></button>`).join('');
  for (const [id] of views) byId(id).hidden = id !== selected.view;
  document.querySelector('main').classList.toggle('wide', selected.view !== 'ir');
}
byId('tabs').addEventListener('click', (event) => {
  const view = event.target.closest('[data-view]')?.dataset.view;
  if (view) { selected.view = view; draw(); }
});

byId('heat').innerHTML = Object.entries(heats).map(([id, h]) => `<option value="${id}">${h.name}</option>`).join('');
byId('heat').addEventListener('change', (event) => { selected.heat = event.target.value; draw(); });

function draw() {
  drawPipeline();
  drawTabs();
  if (selected.view === 'ir') { drawAbout(); drawParts(); drawCode(); }
  if (selected.view === 'ledger') drawLedger();
  if (selected.view === 'misses') drawMisses();
  if (selected.view === 'kernels') drawKernels();
  drawPicture();
  byId('heat').value = selected.heat;
  document.querySelector('.pass.on')?.scrollIntoView({ block: 'nearest' });
  const address = new URLSearchParams({ pass: steps[selected.step].name, part: shownName() ?? '' });
  if (selected.view !== 'ir') address.set('view', selected.view);
  if (selected.heat !== 'none') address.set('heat', selected.heat);
  if (selected.only) address.set('only', '1');
  history.replaceState(null, '', '#' + address);
}

const keys = {
  ArrowUp: () => goTo(selected.step - 1),
  ArrowDown: () => goTo(selected.step + 1),
  ArrowLeft: () => choose(Math.max(selected.group - 1, 0), 0),
  ArrowRight: () => choose(Math.min(selected.group + 1, groupsOf(selected.step).length - 1), 0),
  '[': () => stepLayer(-1),
  ']': () => stepLayer(1),
  c: () => { selected.only = !selected.only; draw(); },
  b: () => { selected.picture = selected.picture === 'before' ? 'after' : 'before'; drawPicture(); },
  '/': () => byId('search').select(),
};
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') { byId('found').hidden = true; document.activeElement.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input[type=search], select')) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

function start() {
  document.title = `lmc explore: ${data.title}`;
  byId('title').textContent = data.title;
  const machine = `${data.measured ? `profile: ${data.measured.about}` : `predicted for ${data.machine.threads} threads`}, ${fixed(data.machine.read_gb_s, 1)} GB/s`;
  byId('subtitle').textContent = [data.source, ...data.facts, machine, data.note].filter(Boolean).join(' · ');
  byId('subtitle').title = byId('subtitle').textContent;
  const wanted = new URLSearchParams(location.hash.slice(1));
  const step = steps.findIndex((s) => s.name === wanted.get('pass'));
  if (heats[wanted.get('heat')]) selected.heat = wanted.get('heat');
  selected.only = wanted.get('only') === '1';
  // Without a wish: the first pass that has something to tell.
  const telling = [steps.findIndex((s, i) => changedBy(i) && s.summary), steps.findIndex((_, i) => changedBy(i)), 0].find((i) => i >= 0);
  goTo(step >= 0 ? step : telling, wanted.get('part'));
  if (views.some(([id]) => id === wanted.get('view'))) { selected.view = wanted.get('view'); draw(); }
}
start();

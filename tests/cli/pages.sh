# The pages of `lmc explore` and `lmc profile` in a browser: each draws itself without an error and does what
# keys, pointer and links ask for. tools/test installs chromium.
# Released only: what is drawn is the browser's work; see.sh makes the pages.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "skipped: there is no chromium"; exit 77; }

shown() { # shown PAGE#ADDRESS > the page as drawn; a browser that hangs is started again, a page that is wrong stays so
  local attempt
  for attempt in 1 2 3; do
    drawn "$1" "$attempt" >drawn.dom && [ -s drawn.dom ] && break
  done
  cat drawn.dom
}
drawn() { # drawn PAGE#ADDRESS ATTEMPT
  timeout 40 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --user-data-dir="$WORK/browser$2" \
    --virtual-time-budget=5000 --dump-dom "file://$WORK/$1" 2>/dev/null
}
# after_drawing PAGE <SCRIPT: what a person would do once the page has drawn itself, and what went wrong.
after_drawing() {
  {
    sed 's#^</body>$##; s#^</html>$##' "$1.html"
    printf '<script>\nconst log = [];\nconst check = (ok, what) => { if (!ok) log.push(what); };\ntry {\n'
    cat
    cat <<'P'
} catch (error) { log.push(String(error.stack)); }
document.body.insertAdjacentHTML('beforeend', `<pre id="verdict">${log.length ? 'WRONG ' + escape(log.slice(0, 5).join('\n')) : 'ALL WELL'}</pre>`);
</script>
</body>
</html>
P
  } >"$1.test.html"
  shown "$1.test.html" >"$1.dom"
  grep -q 'id="verdict">ALL WELL' "$1.dom" || fail "$1.html in the browser: $(grep -A5 'id="verdict">WRONG' "$1.dom" | head -c 600)"
}

TINY=$ROOT/models/tiny/gemma3.yaml
expect_ok "$LMC" compile "$TINY" -o tiny.lmc
"$LMC" profile tiny.lmc -p 9 -n 12 -t 2 --json --html profile.html >profile.json 2>err.txt || fail "profile: $(cat err.txt)"
"$LMC" profile tiny.lmc -p 1 -n 1 -t 1 --html short.html >out.txt 2>err.txt || fail "profile: $(cat err.txt)"
expect_ok "$LMC" explore "$TINY" --profile profile.json -o model.html
expect_ok "$LMC" explore tiny.lmc -o bundle.html
expect_ok "$LMC" compile "$TINY" --emit=import -o graph.lmir
expect_ok "$LMC" explore graph.lmir --passes=fuse-qkv,fuse-gate-up -o graph.html
sed 's/num_hidden_layers: 26, num_attention_heads: 4/num_hidden_layers: 80, num_attention_heads: 4/' "$ROOT/models/gemma3.yaml" >big.yaml
expect_ok "$LMC" explore big.yaml --weights none -o big.html

for page in model bundle graph big; do
  after_drawing $page <<'P'
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
for (let s = 0; s < steps.length; ++s) {
  check(selected.step === s || (goTo(s), selected.step === s), `step ${s}`);
  for (let g = 0; g < groupsOf(s).length; ++g) {
    choose(g, 0);
    choose(g, groupsOf(s)[g].members.length - 1);
    const lines = document.querySelectorAll('#code .line[data-op]');
    check(lines.length > 0, `no lines of ${steps[s].name} ${g}`);
    for (const line of lines) check(!/undefined|NaN|\{\}/.test(line.textContent + tipFor(partOf(+line.dataset.part), +line.dataset.op)), line.textContent);
    check(!/undefined|NaN/.test(document.querySelector('#picture').innerHTML), `the picture of ${steps[s].name} ${g}`);
  }
}
for (const view of ['ledger', 'misses', 'kernels']) {
  selected.view = view; draw();
  check(!/undefined|NaN/.test(byId(view).innerHTML), view);
}
goTo(0); press('ArrowDown');
check(selected.step === Math.min(1, steps.length - 1), 'arrow down');
press('/');
check(document.activeElement.id === 'search', 'slash');
byId('search').value = 'linear lm_head'; showHits();
check(searched.hits.length > 0 && !byId('found').hidden, 'search');
if (searched.hits[0]?.kind === 'op') {
  openHit(searched.hits[0]);
  check(document.querySelector('.line.flash'), 'the found line');
}
for (const id of Object.keys(heats)) { selected.heat = id; draw(); }
document.querySelector('.line[data-op]').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
check(document.querySelector('.line.lit'), 'hovering');
P
done
shown "model.html#pass=quantize&part=layers.5&heat=measured" >at.dom
grep -q 'class="pass on" data-step="5"' at.dom || fail "the address does not choose the pass"
grep -q '<b>layers.5</b>' at.dom || fail "the address does not choose the part"

for page in profile short; do
  after_drawing $page <<'P'
for (const section of document.querySelectorAll('main section')) {
  const body = section.querySelector('.body');
  check(body.children.length > 0, `nothing in ${section.id}`);
  check(!/undefined|NaN|Infinity/.test(body.innerHTML), `what is drawn in ${section.id}`);
}
check(document.querySelectorAll('#cards .card').length === 6 && !/NaN|undefined/.test(byId('cards').textContent), 'cards');
for (const phase of ['decode', 'prefill'])
  check(data[phase].kernels.every((k) => byId('kernels').textContent.includes(k.label)), `kernels of ${phase}`);
check(document.querySelectorAll('#layers svg g').length === data.decode.layers.length, 'a column for each layer');
check(document.querySelectorAll('#roofline svg [data-tip]').length > 0, 'points in the roofline');
for (const owner of document.querySelectorAll('[data-tip]')) {
  owner.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
  check(!byId('tip').hidden && !/undefined|NaN/.test(byId('tip').innerHTML), `the tip of ${owner.outerHTML.slice(0, 80)}`);
}
const holder = document.querySelector('#timeline .holder');
const whole = holder.innerHTML;
check(holder.querySelectorAll('rect[data-tip]').length >= data.timeline.tiles.length / 2, 'boxes of tiles');
const middle = holder.getBoundingClientRect();
holder.dispatchEvent(new WheelEvent('wheel', { deltaY: -600, clientX: middle.left + middle.width / 2, bubbles: true, cancelable: true }));
check(holder.innerHTML !== whole, 'scrolling zooms');
holder.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
check(holder.innerHTML === whole, 'a double click shows all of it again');
P
done
finish

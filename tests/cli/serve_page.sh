# The page of `lmc serve` in a browser: a person asks, edits, tries again, stops, looks at probabilities; keys and narrow
# screens. tools/test installs chromium.
# Released only: what is drawn is the browser's work.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "skipped: there is no chromium"; exit 77; }
model_with_template
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc

# What a person would do is added to the page by a proxy between browser and server.
cat >proxy.py <<'P'
import http.client, http.server, sys
url, script, verdict = sys.argv[1:4]
host = url.split('//')[1]
class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.0'
    def log_message(self, *a): pass
    def do_GET(self): self.forward(None)
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/verdict':
            open(verdict, 'wb').write(body)
            self.send_response(200); self.end_headers()
            return
        self.forward(body)
    def forward(self, body):
        c = http.client.HTTPConnection(host)
        c.request(self.command, self.path, body, {'Content-Type': 'application/json'})
        r = c.getresponse()
        self.send_response(r.status)
        for k, v in r.getheaders():
            if k.lower() in ('content-type', 'content-security-policy'): self.send_header(k, v)
        self.end_headers()
        try:
            if self.path == '/':
                self.wfile.write(r.read().replace(b'</body>', b'<script>' + open(script, 'rb').read() + b'</script></body>'))
                return
            while part := r.read1(4096):
                self.wfile.write(part)
        except ConnectionError:
            c.close()
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
print(server.server_port, flush=True)
server.serve_forever()
P
cat >person.js <<'P'
(async () => {
  const log = [];
  const check = (ok, what) => { if (!ok) log.push(what); };
  const until = async (ok, what) => {
    for (let i = 0; i < 2000; ++i) { if (ok()) return; await new Promise((r) => setTimeout(r, 20)); }
    throw new Error('never: ' + what);
  };
  const articles = () => [...document.querySelectorAll('article')];
  const done = () => until(() => !answering && articles().length > 0, 'an answer');
  try {
    byId('temperature').value = '0'; byId('max_tokens').value = '24';
    byId('box').value = 'Who is there?';
    byId('box').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    check(!byId('stop-answer').hidden, 'a button to stop');
    await done();
    const first = articles().at(-1).querySelector('.text').textContent;
    check(articles().length === 2 && first.length > 0, 'question and answer');
    check(/\d tokens\/s/.test(byId('speed').textContent), 'the speed: ' + byId('speed').textContent);
    articles().at(-1).querySelector('button').click();
    await done();
    check(articles().length === 2 && articles().at(-1).querySelector('.text').textContent === first, 'the same again');
    byId('probabilities').checked = true;
    articles().at(-1).querySelector('button').click();
    await done();
    const tokens = [...document.querySelectorAll('.token')];
    check(tokens.map((t) => t.textContent).join('') === first, 'tokens make up the text');
    tokens[0].dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
    check(!byId('tip').hidden && /%/.test(byId('tip').textContent), 'probabilities under the pointer');
    articles()[0].querySelector('button').click();
    check(articles().length === 0 && byId('box').value === 'Who is there?', 'edit');
    byId('box').value = '<img src=x onerror="document.title=1">';
    byId('send').click();
    await done();
    check(!document.querySelector('article img'), 'markup is text');
    byId('probabilities').checked = false; byId('max_tokens').value = ''; byId('temperature').value = '1.2';
    byId('stop').value = '\u0001';
    byId('box').value = 'Go on for ever'; byId('send').click();
    await until(() => articles().at(-1).querySelector('.text').textContent.length > 20 || !answering, 'the beginning');
    document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await until(() => !answering, 'the stop');
    byId('temperature').value = '-3'; byId('box').value = 'x'; byId('send').click();
    await done();
    check(/'temperature' must lie between/.test(articles().at(-1).textContent), 'an error is shown');
    byId('clear').click();
    check(articles().length === 0, 'new');
    check(document.documentElement.scrollWidth <= innerWidth, `too wide: ${document.documentElement.scrollWidth} of ${innerWidth}`);
  } catch (error) { log.push(String(error.stack)); }
  await fetch('/verdict', { method: 'POST', body: log.length ? 'WRONG ' + log.join('\n') : 'ALL WELL' });
})();
P
person() { # person BUNDLE SCRIPT SIZE
  serve "$1" || finish
  rm -f verdict port
  python3 proxy.py "$URL" "$2" verdict >port 2>proxy.log &
  local proxy=$! attempt i
  for i in $(seq 100); do [ -s port ] && break; sleep 0.05; done
  for attempt in 1 2 3; do
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run \
      --disable-background-networking --disable-component-update --disable-sync --user-data-dir="$WORK/browser$attempt$3" \
      --window-size="$3" --remote-debugging-port=0 "http://127.0.0.1:$(cat port)/" >browser.log 2>&1 &
    local page=$!
    for i in $(seq 1000); do [ -s verdict ] && break; kill -0 $page 2>/dev/null || break; sleep 0.1; done
    kill $page 2>/dev/null
    wait $page 2>/dev/null
    [ -s verdict ] && break
  done
  grep -q '^ALL WELL' verdict || fail "the page at $3: $(head -c 900 verdict) $(tail -n 2 browser.log)"
  kill $proxy
  wait $proxy 2>/dev/null
  ends
}
person chat.lmc person.js 1200,900
person chat.lmc person.js 500,800
# Without a template the page goes on with a text.
cat >plain.js <<'P'
(async () => {
  byId('temperature').value = '0'; byId('max_tokens').value = '8'; byId('probabilities').checked = true;
  byId('box').value = 'ROMEO:'; byId('send').click();
  while (answering) await new Promise((r) => setTimeout(r, 20));
  const said = document.querySelectorAll('article .text')[1].textContent;
  await fetch('/verdict', { method: 'POST', body: said === '\nI am a manner of' && byId('system').closest('label').hidden ? 'ALL WELL' : 'WRONG ' + said });
})();
P
person tiny.lmc plain.js 1000,700
# The page asks no other host for anything.
serve tiny.lmc || finish
curl -sSi "$URL/" >page.txt
grep -Eo '(src|href|url)[=(]["'"'"']?https?:' page.txt && fail "the page loads something"
expect_in page.txt "Content-Security-Policy: default-src 'none'"
ends
finish

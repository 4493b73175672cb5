"""Clients that mean no good: hostile.py URL PID REQUESTS DISCONNECTS [SEED]

Malformed requests (bytes, HTTP, JSON, fields, sizes, slow senders, half-closed sockets), then people who leave at random
moments. Afterwards the server must be well, every slot free, and its memory what it was (LMC_HOSTILE_GROWTH, 1%).
The server is started with --read-timeout 1 --max-body 1M.
"""
import json
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.request

url, pid, requests, disconnects = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
host, port = url.split('//')[1].split(':')
port = int(port)
known = {200, 204, 400, 401, 403, 404, 405, 408, 413, 429, 431, 501, 503, 505}
wrong = []
tally = {}


def connect(timeout=20):
    s = socket.create_connection((host, port), timeout=timeout)
    return s


def read_all(s):
    data = b''
    try:
        while part := s.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return data


def post(path, body, more=b'', close=True):
    head = b'POST ' + path.encode() + b' HTTP/1.1\r\nHost: localhost\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n'
    return head + more + (b'Connection: close\r\n' if close else b'') + b'\r\n' + body


bodies = {
    '/v1/completions': {'model': 'm', 'prompt': 'ROMEO:', 'max_tokens': 4, 'temperature': 0.5, 'seed': 1, 'stop': ['x'], 'n': 1, 'logprobs': 1,
                        'logit_bias': {'5': 1}, 'stream': True, 'stream_options': {'include_usage': True}, 'echo': False, 'top_p': 0.9},
    '/v1/chat/completions': {'messages': [{'role': 'user', 'content': 'hi'}], 'max_tokens': 4, 'tools': [{'type': 'function', 'function': {'name': 'f'}}],
                             'tool_choice': 'auto', 'stream': False, 'logprobs': True, 'top_logprobs': 2},
    '/v1/responses': {'input': [{'role': 'user', 'content': 'hi'}], 'max_output_tokens': 4, 'stream': True, 'text': {'format': {'type': 'text'}}},
    '/v1/embeddings': {'input': ['hi', 'ho'], 'encoding_format': 'float', 'dimensions': 128, 'model': 'm'},
    '/completion': {'prompt': 'ROMEO:', 'n_predict': 4, 'n_probs': 2, 'logit_bias': [[1, 1]], 'stream': True, 'repeat_last_n': -1},
    '/api/generate': {'model': 'm', 'prompt': 'x', 'options': {'num_predict': 3, 'stop': ['y']}, 'context': [1, 2]},
    '/api/chat': {'model': 'm', 'messages': [{'role': 'user', 'content': 'hi'}], 'options': {'num_predict': 3}},
    '/tokenize': {'content': 'To be', 'with_pieces': True},
    '/detokenize': {'tokens': [1, 2, 3]},
    '/apply-template': {'messages': [{'role': 'user', 'content': 'hi'}]},
    '/api/show': {'model': 'm'},
}
values = [None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, -2**63, 1e308, -1e-308, 0.5, '', 'x', '\x00', 'a' * 3000, '\ud800', [], [[]], {}, {'a': 1},
          [1, 2], ['x'] * 100, [None], [{}], {'type': 'text'}, [{'role': 'user'}], [{'type': 'text', 'text': 1}], '{"a":', '<bos><eos>', 'é' * 50, [1e9], [-1]]


def of_bytes(r):
    kind = r.randrange(5)
    if kind == 0:
        return bytes(r.randrange(256) for _ in range(r.randrange(1, 400)))
    if kind == 1:
        return b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(r.randrange(256) for _ in range(200))
    if kind == 2:
        return b'\x00' * r.randrange(1, 3000)
    if kind == 3:
        return bytes(r.choice(b'GET POST/ HTTP/1.1\r\n:;"{}[]') for _ in range(r.randrange(1, 600)))
    data = bytearray(post('/completion', json.dumps(bodies['/completion']).encode()))
    for _ in range(r.randrange(1, 8)):
        data[r.randrange(len(data))] = r.randrange(256)
    return bytes(data)


def of_http(r):
    body = b'{"prompt": "x", "n_predict": 1}'
    return r.choice([
        lambda: b'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\n\r\n',
        lambda: b'GET  /health  HTTP/1.1\r\nHost: localhost\r\n\r\n',
        lambda: b'BREW /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        lambda: b'GET /' + b'a' * r.randrange(1, 40000) + b' HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\nHost localhost\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\nConnection: close\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\nHost: localhost\r\n' + b'X: y\r\n' * r.randrange(1, 5000) + b'\r\n',
        lambda: b'GET /health HTTP/1.1\nHost: localhost\n\n',
        lambda: post('/completion', body, b'Content-Length: 5\r\n'),
        lambda: post('/completion', body, b'Transfer-Encoding: chunked\r\n'),
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n' + body,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n' + body,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n' + body,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' + body,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n' + body,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;' + b'x' * 30000,
        lambda: b'POST /completion HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1f\r\n' + body + b'\r\n0\r\nA: b\r\n\r\n',
        lambda: b'HEAD /completion HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        lambda: b'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        lambda: b'GET /%00%0d%0aX:y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\nConnection: close\r\n\r\n',
        lambda: b'GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n',
        lambda: b'GET /health HTTP/1.0\r\n\r\n' * r.randrange(1, 20),
    ])()


def of_json(r):
    path = r.choice(list(bodies))
    text = json.dumps(bodies[path]).encode()
    body = r.choice([
        lambda: text[:r.randrange(len(text))],
        lambda: b'[' * r.randrange(1, 100000),
        lambda: b'{"a":' * r.randrange(1, 20000),
        lambda: b'{' + b','.join(b'"k%d":1' % i for i in range(r.randrange(1, 6000))) + b'}',
        lambda: text.replace(b'"', b"'"),
        lambda: text + text,
        lambda: text.replace(b'hi', b'\xff\xfe\xed\xa0\x80').replace(b'ROMEO', b'\xc3'),
        lambda: text.replace(b'4', b'1e999').replace(b'1', b'-0'),
        lambda: b'{"prompt": "' + b'\\ud800' * r.randrange(1, 100) + b'", "n_predict": 1}',
        lambda: r.choice([b'', b'null', b'true', b'1', b'"x"', b'[]', b'{}', b'\xef\xbb\xbf{}', b'{"prompt": "x"}\x00']),
        lambda: b'[' + b'1,' * r.randrange(1, 50000) + b'1]',
    ])()
    return post(path, body)


def of_fields(r):
    path = r.choice(list(bodies))
    body = json.loads(json.dumps(bodies[path]))
    for _ in range(r.randrange(1, 4)):
        where = body
        key = r.choice(list(where))
        while isinstance(where[key], (dict, list)) and where[key] and r.random() < 0.6:
            where = where[key]
            key = r.choice(list(where)) if isinstance(where, dict) else r.randrange(len(where))
        where[key] = json.loads(json.dumps(r.choice(values)))
        if isinstance(where, dict) and r.random() < 0.1:
            where[r.choice(['format', 'tools', 'grammar', 'response_format', 'x' * 50, '', '\x00'])] = json.loads(json.dumps(r.choice(values)))
    body.setdefault('max_tokens' if path.startswith('/v1/c') else 'n_predict', 4)
    return post(path, json.dumps(body).encode())


def of_sizes(r):
    return r.choice([
        lambda: post('/v1/completions', json.dumps({'prompt': 'word ' * r.randrange(1, 20000), 'max_tokens': 1}).encode()),
        lambda: post('/v1/completions', json.dumps({'prompt': ['x'] * r.randrange(1, 200), 'max_tokens': 1}).encode()),
        lambda: post('/v1/completions', json.dumps({'prompt': 'x', 'n': r.randrange(1, 200), 'max_tokens': 1}).encode()),
        lambda: post('/tokenize', json.dumps({'content': 'a' * r.randrange(1, 900000)}).encode()),
        lambda: post('/tokenize', json.dumps({'content': ' ' * r.randrange(1, 90000)}).encode()),
        lambda: post('/completion', b' ' * r.randrange(1, 1048576)),
        lambda: post('/completion', json.dumps({'prompt': 'x', 'stop': ['y' * 1024] * 16, 'n_predict': 4}).encode()),
        lambda: post('/v1/chat/completions', json.dumps({'messages': [{'role': 'user', 'content': 'x'}] * r.randrange(1, 6000), 'max_tokens': 1}).encode()),
    ])()


def check(kind, sent, data):
    tally[kind] = tally.get(kind, 0) + 1
    if not data:
        return
    status = data.split(b' ', 2)[1:2]
    if not data.startswith(b'HTTP/1.1 ') or int(status[0]) not in known | {100}:
        wrong.append(f'{kind}: {sent[:300]!r} got {data[:300]!r}')


def malformed(r):
    kind = r.choice(['bytes', 'http', 'json', 'fields', 'fields', 'sizes', 'half'])
    sent = {'bytes': of_bytes, 'http': of_http, 'json': of_json, 'fields': of_fields, 'sizes': of_sizes,
            'half': lambda r: r.choice([of_json, of_fields, of_http])(r)}[kind](r)
    if kind == 'half':
        sent = sent[:r.randrange(1, len(sent) + 1)]
    s = connect()
    try:
        s.sendall(sent)
        s.shutdown(socket.SHUT_WR)  # what is incomplete stays so
        check(kind, sent, read_all(s))
    except (ConnectionResetError, BrokenPipeError):
        check(kind, sent, b'')
    except socket.timeout:
        wrong.append(f'{kind}: no end to {sent[:300]!r}')
    finally:
        s.close()


def slow(r):
    """Sends a little and then nothing, or a byte now and then: told 408 or hung up on, in its time."""
    sent = r.choice([of_fields, of_http])(r)
    sent = sent[:r.randrange(1, 60)].rstrip(b'\r\n') or b'G'
    s = connect(6)
    begin = time.monotonic()
    try:
        s.sendall(sent)
        while time.monotonic() - begin < 0.6 and r.random() < 0.7:
            time.sleep(0.1)
            s.sendall(b'a')
        check('slow', sent, read_all(s))
    except (ConnectionResetError, BrokenPipeError):
        check('slow', sent, b'')
    except socket.timeout:
        wrong.append(f'slow: no end to {sent!r}')
    finally:
        s.close()


def leave(r):
    body = r.choice([
        ('/v1/completions', {'prompt': 'ROMEO:', 'max_tokens': 400, 'stream': True, 'ignore_eos': True}),
        ('/v1/completions', {'prompt': 'ROMEO:', 'max_tokens': 400, 'n': 3}),
        ('/v1/chat/completions', {'messages': [{'role': 'user', 'content': 'hi'}], 'stream': True, 'n': 2}),
        ('/v1/embeddings', {'input': ['word ' * 300] * 40}),
        ('/api/generate', {'prompt': 'ROMEO:', 'raw': True}),
        ('/completion', {'prompt': 'word ' * 300, 'n_predict': 100}),
    ])
    s = connect()
    try:
        s.sendall(post(body[0], json.dumps(body[1]).encode(), close=False))
        if r.random() < 0.7:
            time.sleep(r.random() * 0.02)
        if r.random() < 0.5:
            s.recv(r.randrange(1, 2000))
        if r.random() < 0.5:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    except (ConnectionResetError, BrokenPipeError, socket.timeout):
        pass
    s.close()
    tally['left'] = tally.get('left', 0) + 1


def get(path):
    with urllib.request.urlopen(url + path, timeout=20) as answer:
        return answer.read().decode()


def metric(name):
    return next(float(line.split()[1]) for line in get('/metrics').splitlines() if line.startswith(name + ' '))


def settled():
    for _ in range(200):
        if metric('llamacpp:requests_processing') == 0 and metric('llamacpp:requests_deferred') == 0 and metric('lmc:connections') <= 1:
            return True
        time.sleep(0.05)
    return False


def memory():
    """Once everybody has gone; in kB. Not what is kept of texts for later, of which there may be so much as was allowed."""
    time.sleep(0.5)
    with open(f'/proc/{pid}/status') as f:
        resident = next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))
    kept = metric('lmc:kv_kept_bytes')
    if kept > metric('lmc:kv_most_bytes'):
        wrong.append(f'{kept} bytes are kept, more than was allowed')
    return resident - int(kept) // 1024


def all_of(task, count, threads, seed):
    left = [count]
    lock = threading.Lock()

    def work(i):
        r = random.Random(seed * 1000 + i)
        while True:
            with lock:
                if left[0] <= 0:
                    return
                left[0] -= 1
            try:
                task(r)
            except Exception as e:  # noqa: BLE001
                wrong.append(f'{task.__name__}: {e!r}')

    threads = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def round_of(part, seed):
    """Slow ones wait most of the time, beside the others."""
    waiting = threading.Thread(target=all_of, args=(slow, int(requests * part) // 50, 24, seed + 7))
    waiting.start()
    all_of(malformed, int(requests * part), 6, seed)
    all_of(leave, int(disconnects * part), 6, seed)
    waiting.join()


# What a server keeps for later it has after some rounds.
before = 0
for i in range(3):
    round_of(0.3, seed + 10 + i)
    if not settled():
        wrong.append('after the first rounds the server is not idle')
    before = max(before, memory())
round_of(1, seed)
if not settled():
    wrong.append('slots or connections are lost: ' + get('/metrics'))
if get('/health') != '{"status":"ok"}':
    wrong.append('the server is not well')
if any(s['is_processing'] for s in json.loads(get('/slots'))):
    wrong.append('a slot is taken')
after = memory()
growth = (after - before) / before
if growth > float(os.environ.get('LMC_HOSTILE_GROWTH', '1')) / 100:
    wrong.append(f'memory grew by {100 * growth:.2f}%: from {before} kB to {after} kB')
print(f'{sum(tally.values())} requests ({", ".join(f"{k} {v}" for k, v in sorted(tally.items()))}), memory {before} kB to {after} kB ({100 * growth:+.2f}%)')
for line in wrong[:10]:
    print('WRONG', line[:1500], file=sys.stderr)
sys.exit(min(len(wrong), 1))

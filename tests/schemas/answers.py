"""Asks a running `lmc serve` for answers under each schema of a file: answers.py URL FILE ANSWERS. Prints
{"schema": …, "text": …, "whole": …} for each, one a line; a text that a limit cut off is not whole."""
import json
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

url, file, answers = sys.argv[1], sys.argv[2], int(sys.argv[3])
schemas = [json.loads(line) for line in open(file, encoding="utf-8")]


def post(path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(request, timeout=120))
    except urllib.error.HTTPError as e:
        sys.exit(f"{json.dumps(body)}: {e.read().decode()}")


# What closes something comes more often, lest texts never end.
closing = [post("/tokenize", {"content": c})["tokens"][-1] for c in '"}]']


def answer(ask):
    schema, number = ask
    temperature = [1, 4][number % 2]  # at 4 nearly anything that may come
    got = post("/completion", {"prompt": "ROMEO:\n", "json_schema": schema, "temperature": temperature, "top_k": 0, "top_p": 1,
                               "min_p": 0, "seed": number, "n_predict": 400,
                               "logit_bias": [[id, 4 * temperature] for id in closing]})
    return {"schema": schema, "text": got["content"], "whole": got["stop_type"] != "limit"}


with ThreadPoolExecutor(16) as pool:
    for got in pool.map(answer, [(s, i * answers + k) for i, s in enumerate(schemas) for k in range(answers)]):
        print(json.dumps(got))

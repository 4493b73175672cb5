# README.md and those of tools/: every line of their fences of sh is a command that runs, one after the other in a folder
# that has the model files, but for those named here.
# Released only: the same commands run under sanitizers elsewhere.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
export PATH=$(dirname "$LMC"):$PATH NO_COLOR=1

left_out=( # as in `case`, with the reason; each must fit a line that stands there
  'lmc pull *|asks the network'
  'lmc compile models/gemma3.yaml --weights random *|the full 1B shape takes a minute and a gigabyte'
  'lmc membw|takes a minute'
  'lmc crossover|takes a quarter of a minute; cli.ablate runs it smaller'
  'lmc bench --ablate *|takes a quarter of a minute; cli.ablate runs it smaller'
  'lmc serve *|runs until it is ended; cli.serve has it'
  'lmc run * --chat *|the embedded models have no chat template; cli.chat has one'
  'lmc chat *|likewise'
  'build/release/bin/bench_kernels *|is built only where Google Benchmark is'
  'tools/scripts/bench-peers *|downloads llama.cpp'
  'tools/scripts/peer-tokens|likewise'
)

commands=0 met=()
on_line() { # on_line FENCE LINE
  local command=${2%%  #*} i
  if [ "$1" != sh ]; then
    [[ $1 = text || $1 = console || $2 != 'lmc '* ]] || fail "$page: a command outside a fence of sh: $2"
    return
  fi
  command=${command%"${command##*[! ]}"}
  for i in "${!left_out[@]}"; do
    case $command in ${left_out[i]%%|*}) met[i]=yes && return ;; esac
  done
  commands=$((commands + 1))
  bash -o pipefail -c "$command" >out.txt 2>err.txt </dev/null || fail "$page: exit code $?: $command ($(tail -n 3 err.txt))"
}

for page in README.md tools/README.md tools/{bundle,generate,graphs,measure,serve}/README.md; do
  folder=$WORK/${page//\//-}
  mkdir "$folder" && cd "$folder" || exit 1
  ln -s "$ROOT/models" models
  walk_page "$ROOT/$page"
done
cd "$WORK"
[ "$commands" -ge 35 ] || fail "only $commands commands found"
for i in "${!left_out[@]}"; do
  [ -n "${met[i]:-}" ] || fail "no page has the line that is left out: ${left_out[i]}"
done
# What README.md says of the commands is all of them.
"$LMC" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]*\) .*/\1/p' >all.txt
while read -r name; do
  sed -n '/^## Commands/,/^## /p' "$ROOT/README.md" | grep -q "^|[^|]*\`$name\`" || fail "README.md's table of commands lacks $name"
done <all.txt
finish

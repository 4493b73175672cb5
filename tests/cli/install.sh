# What is installed: the tree, completion of three shells, the manual page, and an lmc that finds its models anywhere.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
build=$(dirname "$(dirname "$LMC")")
cmake --install "$build" --prefix "$WORK/lmc" >install.txt 2>&1 || fail "install: $(tail -n 3 install.txt)"
bash_file=lmc/share/bash-completion/completions/lmc zsh_file=lmc/share/zsh/site-functions/_lmc
fish_file=lmc/share/fish/vendor_completions.d/lmc.fish page=lmc/share/man/man1/lmc.1
for file in bin/lmc lib/lmc/liblmc_tools.so lib/cmake/lmc/lmcConfig.cmake include/lmc/passes/engine/plugin.h \
  share/lmc/models/gemma3.yaml share/lmc/models/tiny/gemma3/model.safetensors "${bash_file#lmc/}" "${zsh_file#lmc/}" \
  "${fish_file#lmc/}" "${page#lmc/}"; do
  [ -s "lmc/$file" ] || fail "$file is not installed"
done
mv lmc moved && ln -s moved/share share && LMC=$WORK/moved/bin/lmc # it works wherever it lies
bash_file=${bash_file#lmc/} zsh_file=${zsh_file#lmc/} fish_file=${fish_file#lmc/} page=${page#lmc/}

# --version
expect_ok "$LMC" --version
for line in '^lmc [0-9]+\.[0-9]+\.[0-9]+$' '^LLVM 19\.[0-9]+\.[0-9]+$' '^target [a-z0-9-]+$' '^commit ([0-9a-f]{12}|unknown)$'; do
  grep -qE "$line" out.txt || fail "--version has no line $line: $(cat out.txt)"
done

# A model file by its name: beside the program, built in, and one that is here comes first.
expect_ok "$LMC" compile tiny/gemma3.yaml --emit import -o tiny.lmir
expect_in err.txt "from $WORK/moved/share/lmc/models/tiny/gemma3"
expect_ok "$LMC" compile gpt2.yaml --weights none --emit import -o gpt2.lmir
mv moved/share/lmc moved/share/gone
expect_ok "$LMC" compile gpt2.yaml --weights none --emit import -o gpt2.lmir
expect_error 1 "tiny/gemma3.yaml" "$LMC" compile tiny/gemma3.yaml --emit import -o tiny.lmir
echo 'family: mine' >gpt2.yaml
expect_error 1 "gpt2.yaml: the model file has no 'config:'" "$LMC" compile gpt2.yaml --weights none --emit import

# What is installed is what the commands print.
for shell in bash zsh fish; do expect_ok "$LMC" completion $shell && cp out.txt "completion.$shell"; done
cmp completion.bash "$bash_file" && cmp completion.zsh "$zsh_file" && cmp completion.fish "$fish_file" || fail "completions differ"
expect_error 2 "shell: tcsh not in {bash,zsh,fish}" "$LMC" completion tcsh

# bash, as readline calls it
mkdir one.lmc other && touch a.txt b.gguf
cat >try.bash <<'END'
. "$1"
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_lmc 2>&1
printf '%s\n' "${COMPREPLY[@]}"
END
bash -n "$bash_file" || fail "the completion for bash does not parse"
completes() { # completes "WORDS" LINE…: exactly these, in any order
  local words=$1
  shift
  # shellcheck disable=SC2086
  diff <(eval "bash try.bash $bash_file $words" | sort) <(printf '%s\n' "$@" | sort) >diff.txt || fail "completion of $words: $(cat diff.txt)"
}
completes "lmc comp" compile completion
completes "lmc completion ''" bash zsh fish
completes "lmc --v" --version
completes "lmc run --sch" --scheduler
completes "lmc compile --kv ''" f16 f32 q8_0
completes "lmc compile --kv = f1" f16
completes "lmc compile --disable-pass fuse-q" fuse-qkv
completes "lmc run -n 4 ''" one.lmc
completes "lmc run oth" other
completes "lmc compile llam" llama.yaml
completes "lmc compile --weights ra" random
completes "lmc tokenize -f a" a.txt
completes "lmc run -p ''" ""

# The other shells, where they are
if command -v zsh >/dev/null; then zsh -fn "$zsh_file" || fail "the completion for zsh does not parse"; fi
if command -v fish >/dev/null; then
  fish --no-config -c "source $fish_file; complete -C 'lmc compile --kv '" >fish.txt 2>&1 || fail "fish: $(cat fish.txt)"
  [ "$(cut -f1 fish.txt | tr '\n' ' ')" = "f16 f32 q8_0 " ] || fail "fish completes --kv with $(cat fish.txt)"
fi

# The manual page
"$LMC" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z]\+\) .*/\1/p' >commands.txt
[ "$(wc -l <commands.txt)" -ge 20 ] || fail "--help lists $(wc -l <commands.txt) commands"
while read -r command; do
  grep -qx "\.SS $command" "$page" || fail "the manual page does not mention $command"
  grep -q "^    $command) echo" "$bash_file" || fail "bash does not know $command"
  grep -q "^        $command)" "$zsh_file" || fail "zsh does not know $command"
  grep -q -- "-a $command -d" "$fish_file" || fail "fish does not know $command"
done <commands.txt
if command -v groff >/dev/null; then
  groff -man -Tutf8 -P-cbou -ww "$page" >page.txt 2>groff.txt
  [ -s groff.txt ] && fail "groff says: $(head -n 3 groff.txt)"
  expect_in page.txt "EXIT STATUS"
  expect_in page.txt "--batch-size"
fi
finish

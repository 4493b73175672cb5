#!/usr/bin/env bash
# The walls of the design: which folder may include which.
set -u
cd "$1" || exit 1
bad=0
forbid() {  # forbid FOLDER REGEX WHY
  if grep -rnE "#include *[\"<]($2)" "$1" --include='*.h' --include='*.cpp'; then
    echo "^ $1 must not include: $3" >&2
    bad=1
  fi
}
for folder in passes codegen runtime models; do
  for other in passes codegen runtime models tools; do
    [ "$folder" = "$other" ] || forbid "$folder" "$other/" "$other"
  done
done
forbid ir '(passes|codegen|runtime|models|tools)/' 'anything above it'
for folder in ir passes runtime models; do forbid "$folder" 'llvm(-c)?/' LLVM; done
for folder in ir passes codegen models; do forbid "$folder" '(oneapi/)?tbb' oneTBB; done
for folder in ir passes codegen runtime; do forbid "$folder" 'yaml-cpp' yaml-cpp; done
forbid codegen/lowering 'llvm(-c)?/|codegen/(kernels|families|layouts)/' 'LLVM: it decides, others emit'
if grep -rln 'boost/' ir passes codegen runtime models tools --include='*.h' --include='*.cpp' | grep -vE '^ir/(bgl.h|graph_algorithms.cpp)$'; then
  echo "^ only ir/bgl.h may include Boost" >&2
  bad=1
fi
if grep -rniE 'gemma|gpt-?2|llama' models passes codegen runtime ir --include='*.cpp' --include='*.h' | grep -vE '//|tokenizer/'; then
  echo "^ no C++ may name a model" >&2
  bad=1
fi
exit $bad

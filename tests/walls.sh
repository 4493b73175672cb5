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
# grammar/ implements runtime's constraint, and knows nothing else of it; only tools know grammar/.
for folder in ir passes codegen runtime models; do forbid "$folder" 'grammar/' grammar; done
forbid grammar '(passes|codegen|models|tools)/' 'anything but ir and what it implements of runtime'
if grep -rnE '#include *"runtime/' grammar --include='*.h' --include='*.cpp' | grep -vE '"runtime/(constraint|id_set)\.h"'; then
  echo "^ grammar must not include: sessions" >&2
  bad=1
fi
for folder in ir passes runtime models grammar; do forbid "$folder" 'llvm(-c)?/' LLVM; done
for folder in ir passes codegen models grammar; do forbid "$folder" '(oneapi/)?tbb' oneTBB; done
for folder in ir passes codegen runtime grammar; do forbid "$folder" 'yaml-cpp' yaml-cpp; done
forbid codegen/lowering 'llvm(-c)?/|codegen/(kernels|families|layouts)/' 'LLVM: it decides, others emit'
# Rooms of a folder: each may include itself and those before it.
rooms() {  # rooms FOLDER ROOM…
  local folder=$1 room
  local -a later=("${@:2}")
  for room in "${@:2}"; do
    [ -d "$folder/$room" ] || { echo "tests/walls.sh: there is no $folder/$room" >&2; bad=1; }
    later=("${later[@]:1}")
    for other in "${later[@]}"; do forbid "$folder/$room" "$folder/$other/" "$folder/$other, which stands above it"; done
  done
  for room in "$folder"/*/; do
    [[ " ${*:2} $exempt " == *" $(basename "$room") "* ]] || { echo "tests/walls.sh: no word about $room" >&2; bad=1; }
  done
}
exempt='tiny examples scripts'
rooms models text checkpoint gguf chat tokenizer language load export
rooms passes pattern sharding engine debug
rooms tools cli system bundle describe machine pipeline html hub generate serve measure build graphs commands
if grep -rln 'boost/' ir passes codegen runtime models grammar tools --include='*.h' --include='*.cpp' | grep -vE '^(ir/(bgl.h|graph_algorithms.cpp)|tools/serve/.*)$'; then
  echo "^ only ir/bgl.h may include Boost, and the server" >&2
  bad=1
fi
if grep -rniE 'gemma|gpt-?2|llama' models passes codegen runtime grammar ir --include='*.cpp' --include='*.h' | grep -vE '//|tokenizer/'; then
  echo "^ no C++ may name a model" >&2
  bad=1
fi
exit $bad

# Writes OUTPUT, a header with the version and a hash of every header a plugin may include.
# cmake -DSOURCE=… -DVERSION=… -DOUTPUT=… -P abi.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB headers RELATIVE ${SOURCE} ${SOURCE}/ir/*.h ${SOURCE}/passes/*.h ${SOURCE}/passes/*/*.h ${SOURCE}/codegen/*.h ${SOURCE}/codegen/kernels/*.h)
list(SORT headers)
set(all "")
foreach(header ${headers})
  file(SHA256 ${SOURCE}/${header} hash)
  string(APPEND all "${header} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 12 hash)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Made by cmake/abi.cmake.
#pragma once
#define LMC_ABI_VERSION \"@VERSION@\"
#define LMC_ABI_HEADERS \"@hash@\"
" @ONLY)

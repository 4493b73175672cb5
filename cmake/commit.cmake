# Writes OUTPUT, a header with the commit of the source, only if that has changed.
# cmake -DSOURCE=… -DOUTPUT=… -P commit.cmake
cmake_minimum_required(VERSION 3.25)
set(commit unknown) # in a tarball, which may lie within some other repository
execute_process(COMMAND git rev-parse --show-toplevel HEAD WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE lines ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
file(REAL_PATH ${SOURCE} source)
if(NOT failed AND lines MATCHES "^(.*)\n([0-9a-f]+)$" AND CMAKE_MATCH_1 STREQUAL source)
  string(SUBSTRING ${CMAKE_MATCH_2} 0 12 commit)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Made by cmake/commit.cmake.
#pragma once
#define LMC_COMMIT \"@commit@\"
" @ONLY)

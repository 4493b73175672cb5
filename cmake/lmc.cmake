# lmc_unity(lmc_ir): compiles small sources of a target together, neighbours of one folder until they have 40 kB, which
# halves what headers cost. So anonymous namespaces of neighbours must not use a name twice. `ALONE file…` are left alone:
# those that take long by themselves, and what such a file defines.
option(LMC_UNITY "Compile small files of a folder together" ON)
function(lmc_unity target)
  if(NOT LMC_UNITY)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "ALONE" ${ARGN})
  get_target_property(sources ${target} SOURCES)
  list(SORT sources) # by folder
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  set(group 0)
  set(bytes 0)
  set(last "")
  foreach(source ${sources})
    get_filename_component(source ${source} ABSOLUTE)
    file(RELATIVE_PATH relative ${CMAKE_CURRENT_SOURCE_DIR} ${source})
    if(NOT source MATCHES "\\.cpp$" OR NOT EXISTS ${source} OR relative IN_LIST arg_ALONE)
      continue()
    endif()
    file(SIZE ${source} size)
    get_filename_component(folder ${source} DIRECTORY)
    math(EXPR bytes "${bytes} + ${size}")
    if(bytes GREATER 40000 OR NOT folder STREQUAL last)
      math(EXPR group "${group} + 1")
      set(bytes ${size})
    endif()
    set(last ${folder})
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endfunction()

# lmc_library(ir): one shared library per folder, from every .cpp below it.
# Shared, because ops, passes and kernels register themselves: a static archive would drop them.
function(lmc_library folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(lmc_${folder} SHARED ${sources})
  target_include_directories(lmc_${folder} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                  $<INSTALL_INTERFACE:include/lmc>)
  set_target_properties(lmc_${folder} PROPERTIES EXPORT_NAME ${folder})
  lmc_unity(lmc_${folder} ${ARGN})
endfunction()

# Registers the tests of a GoogleTest program under FOLDER.…: each as a test of its own, or, where starting a
# program takes longer than most tests (under sanitizers), dealt out to so many processes.
function(lmc_register_tests folder label filter processes)
  if(NOT LMC_SANITIZE)
    gtest_discover_tests(test_${folder} TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60 TEST_FILTER "${filter}"
                         TEST_LIST test_${folder}_${label} PROPERTIES LABELS ${label})
    return()
  endif()
  foreach(number RANGE 1 ${processes})
    math(EXPR index "${number} - 1")
    set(name ${folder}.${label}-${number}-of-${processes})
    add_test(NAME ${name} COMMAND test_${folder} --gtest_filter=${filter} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS ${label}
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=${processes};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# lmc_unit_tests(ir): every .cpp in tests/unit/ir becomes one GoogleTest program, linked to that folder.
function(lmc_unit_tests folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${folder} ${sources})
  target_link_libraries(test_${folder} PRIVATE GTest::gtest_main lmc_${folder} ${ARGN})
  target_compile_definitions(test_${folder} PRIVATE LMC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Compiled more often than they run.
  target_compile_options(test_${folder} PRIVATE $<$<CONFIG:Release>:-O1>)
  lmc_unity(test_${folder})
  # Whole models (Golden…) and what compiles very many kernels (…InDepth) take too long for the quick loop.
  lmc_register_tests(${folder} quick "-*Golden*:*InDepth.*" 6)
  lmc_register_tests(${folder} thorough "*Golden*:*InDepth.*" 12)
endfunction()

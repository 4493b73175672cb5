# lmc_library(ir): one shared library per folder, from every .cpp below it.
# Shared, because ops, passes and kernels register themselves: a static archive would drop them.
function(lmc_library folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(lmc_${folder} SHARED ${sources})
  target_include_directories(lmc_${folder} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                  $<INSTALL_INTERFACE:include/lmc>)
  set_target_properties(lmc_${folder} PROPERTIES EXPORT_NAME ${folder})
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
  # Whole models (Golden…) take too long for the quick loop.
  gtest_discover_tests(test_${folder} TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60 TEST_FILTER "-*Golden*"
                       PROPERTIES LABELS quick)
  gtest_discover_tests(test_${folder} TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60 TEST_FILTER "*Golden*"
                       TEST_LIST test_${folder}_golden PROPERTIES LABELS golden)
endfunction()

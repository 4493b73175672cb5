# cmake --install: bin/lmc with its libraries, which are nobody else's, and what a plugin is built against:
# find_package(lmc). What shells complete and the manual page: tools/CMakeLists.txt.
install(TARGETS lmc RUNTIME DESTINATION bin)
install(TARGETS lmc_runtime lmc_models lmc_grammar lmc_readers lmc_tools LIBRARY DESTINATION lib/lmc)
install(TARGETS lmc_ir lmc_passes lmc_lowering lmc_codegen EXPORT lmcTargets LIBRARY DESTINATION lib/lmc)
install(EXPORT lmcTargets NAMESPACE lmc:: DESTINATION lib/cmake/lmc)
install(FILES cmake/lmcConfig.cmake DESTINATION lib/cmake/lmc)
install(DIRECTORY ir passes codegen DESTINATION include/lmc FILES_MATCHING PATTERN "*.h")

# Model files, found from any folder (models/load/find_model.h), and two small models that need no download.
file(GLOB model_files CONFIGURE_DEPENDS models/*.yaml)
install(FILES ${model_files} DESTINATION share/lmc/models)
install(DIRECTORY models/tiny DESTINATION share/lmc/models PATTERN "*.py" EXCLUDE PATTERN "*.md" EXCLUDE)

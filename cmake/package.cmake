# cpack -G DEB --config build/release/CPackConfig.cmake: lmc_VERSION_ARCH.deb, for the Debian it is made on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lmc)
set(CPACK_PACKAGE_CONTACT "The lmc developers <lmc@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compiler and runtime for language models on a CPU")
set(CPACK_PACKAGE_DESCRIPTION
    "lmc compiles language models (Hugging Face folders, GGUF files) to machine code
for this CPU and runs them. The package has the command lmc, its model files, two
small models, and the headers that plugins with passes and kernels are built with.")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package_manual.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates) # for lmc pull
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake, man-db")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # asks dpkg-shlibdeps, of dpkg-dev
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
include(CPack)

# How every room is built: warnings, sanitizers, and weir_room(), the one way to declare a room.

set(WEIR_SANITIZE "" CACHE STRING "Sanitizers for every target: 'address,undefined' or 'thread'")

find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Relative to the source folder, so that a fresh clone beside this one finds what was compiled here.
  set(CMAKE_C_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                ${WEIR_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()
find_program(WEIR_MOLD mold)
if(WEIR_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# A program loads the shared libraries that it uses, not all that its rooms might.
add_link_options(-Wl,--as-needed)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wnon-virtual-dtor -Woverloaded-virtual -Werror
                    # GCC 12 sees overlaps in std::string that are not there (GCC bug 105651).
                    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -ffp-contract=off)
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(WEIR_SANITIZE)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
  if(WEIR_SANITIZE STREQUAL "thread")
    # GCC's thread sanitizer does not model fences and warns of it inside the standard library.
    add_compile_options(-Wno-tsan)
  endif()
endif()

# All programs of unit tests, and nothing else: what the sanitizers run.
add_custom_target(unit_tests)

# weir_room(NAME DEPS room... LIBS target... TEST_DEPS room...)
#   builds src/NAME/*.cc into the library weir_NAME; *_test.cc beside the code into NAME_test.
#   A suite whose name ends in "Threads" carries the label 'threads' and is run again under TSan.
function(weir_room name)
  cmake_parse_arguments(ROOM "" "" "DEPS;LIBS;TEST_DEPS;TEST_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|_fuzz\\.cc$|/main\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(weir_${name} STATIC ${sources})
    set(visibility PUBLIC)
  else()
    add_library(weir_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(weir_${name} ${visibility} ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_DEPS PREPEND weir_)
  target_link_libraries(weir_${name} ${visibility} ${ROOM_DEPS} ${ROOM_LIBS})
  if(tests AND BUILD_TESTING)
    list(TRANSFORM ROOM_TEST_DEPS PREPEND weir_)
    add_executable(${name}_test ${tests})
    add_dependencies(unit_tests ${name}_test)
    target_link_libraries(${name}_test PRIVATE weir_${name} ${ROOM_TEST_DEPS} ${ROOM_TEST_LIBS}
                                               GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE WEIR_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    # What is tested is optimised as the preset says (but for templates and inline functions, of which the
    # linker may take the test's copy); what tests it is compiled in half the time.
    target_compile_options(${name}_test PRIVATE $<IF:$<CONFIG:Debug>,-O0,-O1>)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" TEST_FILTER "-*Threads.*"
                         PROPERTIES TIMEOUT 120 DISCOVERY_TIMEOUT 60)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" TEST_FILTER "*Threads.*"
                         PROPERTIES TIMEOUT 120 LABELS threads DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

# What stands outside the project. stack/setup installs all of it.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(pugixml REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(tl-expected REQUIRED)
find_package(SQLite3 REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
find_package(date REQUIRED)
# Debian's own CMake file for it names a program that its package does not hold.
find_path(XGBOOST_INCLUDE_DIR xgboost/c_api.h REQUIRED)
find_library(XGBOOST_LIBRARY xgboost REQUIRED)
add_library(XGBoost::XGBoost SHARED IMPORTED)
set_target_properties(XGBoost::XGBoost PROPERTIES IMPORTED_LOCATION ${XGBOOST_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${XGBOOST_INCLUDE_DIR})
# gRPC, Protobuf and what they need are linked from archives: as shared libraries they are some fifty,
# and every command would start 10 ms later (docs/decisions/grpc.md).
find_program(PROTOC protoc REQUIRED)
pkg_check_modules(grpc REQUIRED grpc++ protobuf)
set(grpc_archives)
foreach(name IN LISTS grpc_STATIC_LIBRARIES)
  if(name MATCHES "^(grpc|gpr|absl|protobuf|upb|re2|cares|address_sorting)")
    find_library(grpc_archive_${name} lib${name}.a REQUIRED)
    list(APPEND grpc_archives ${grpc_archive_${name}})
  endif()
endforeach()
list(REMOVE_DUPLICATES grpc_archives)
add_library(weir_grpc INTERFACE)
target_include_directories(weir_grpc SYSTEM INTERFACE ${grpc_INCLUDE_DIRS})
target_compile_options(weir_grpc INTERFACE ${grpc_CFLAGS_OTHER})
target_link_libraries(weir_grpc INTERFACE -Wl,--start-group ${grpc_archives} -Wl,--end-group
                                          OpenSSL::SSL ZLIB::ZLIB Threads::Threads)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# librdkafka is built by stack/setup: Debian's 2.0.2 has open correctness bugs, see docs/decisions.
find_package(RdKafka 2.12 CONFIG REQUIRED PATHS ${CMAKE_SOURCE_DIR}/.weir/deps/librdkafka
             NO_DEFAULT_PATH)

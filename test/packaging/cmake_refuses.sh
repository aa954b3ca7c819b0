#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cmake_refuses.sh BUILD: which versions, kinds and components the CMake package gives out, and what it says where it
# does not.
set -euo pipefail
# shellcheck source=test/packaging/prefix.sh
source "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/prefix.sh"

# --- versions: the file that answers for them, asked as find_package asks it ---
cat >ask.cmake <<'CMAKE'
foreach(row IN LISTS ROWS)
  string(REPLACE "|" ";" row "${row}")
  list(GET row 0 have)
  list(GET row 1 PACKAGE_FIND_VERSION)
  list(GET row 2 expected)
  string(REPLACE "." ";" parts "${have}")
  list(GET parts 0 VERSION_MAJOR)
  list(GET parts 1 VERSION_MINOR)
  set(VERSION ${have})
  set(SOVERSION ${VERSION_MAJOR})
  if(VERSION_MAJOR EQUAL 0)
    set(SOVERSION 0.${VERSION_MINOR})
  endif()
  configure_file(${SOURCE} asked.cmake @ONLY)
  set(PACKAGE_FIND_VERSION_RANGE "")
  if(PACKAGE_FIND_VERSION MATCHES "^(.*)\\.\\.\\.(<?)(.*)$")
    set(PACKAGE_FIND_VERSION_RANGE ${PACKAGE_FIND_VERSION})
    set(PACKAGE_FIND_VERSION_MIN ${CMAKE_MATCH_1})
    set(PACKAGE_FIND_VERSION_MAX ${CMAKE_MATCH_3})
    set(PACKAGE_FIND_VERSION_RANGE_MAX INCLUDE)
    if(CMAKE_MATCH_2)
      set(PACKAGE_FIND_VERSION_RANGE_MAX EXCLUDE)
    endif()
  endif()
  string(REPLACE "." ";" parts "${PACKAGE_FIND_VERSION}.0")
  list(GET parts 0 PACKAGE_FIND_VERSION_MAJOR)
  list(GET parts 1 PACKAGE_FIND_VERSION_MINOR)
  include(${CMAKE_CURRENT_BINARY_DIR}/asked.cmake)
  if(NOT "${PACKAGE_VERSION_COMPATIBLE}" STREQUAL "${expected}")
    message("weft ${have}, asked for ${PACKAGE_FIND_VERSION}: ${PACKAGE_VERSION_COMPATIBLE}")
  endif()
endforeach()
CMAKE
rows=(0.1.0\|0.1\|TRUE 0.1.4\|0.1.4\|TRUE 0.1.4\|0.1.5\|FALSE 0.2.0\|0.1\|FALSE 0.1.0\|0.2\|FALSE 0.1.0\|0\|FALSE
  1.4.2\|1\|TRUE 1.4.2\|1.3\|TRUE 1.4.2\|1.5\|FALSE 1.4.2\|0.9\|FALSE 2.0.0\|1.4\|FALSE 1.4.2\|2\|FALSE
  0.2.0\|0.1...0.3\|TRUE 0.2.0\|0.1...\<0.2\|FALSE 0.2.0\|0.1...0.2.0\|TRUE 0.2.0\|0.3...0.4\|FALSE)
(
  IFS=';'
  cmake "-DSOURCE=$here/../../packaging/cmake/weft-config-version.cmake.in" "-DROWS=${rows[*]}" -P ask.cmake
) >said 2>&1 || fail "the version file: $(<said)"
[[ ! -s said ]] || fail "$(<said)"

# --- a project for each question; each row: name | what stands before | arguments of find_package | code ---
cp -r -- "$prefix" lacking
rm -- "lacking/${libdir#"$prefix"/}"/libweft*.a
mkdir questions
printf 'cmake_minimum_required(VERSION 3.13)\nproject(questions C)\n' >questions/CMakeLists.txt
while IFS='|' read -r name before arguments code; do
  mkdir "questions/$name"
  printf '%s\n' "$before" "find_package(weft CONFIG $arguments)" "$code" >"questions/$name/CMakeLists.txt"
  printf 'message("%s:")\nadd_subdirectory(%s)\n' "$name" "$name" >>questions/CMakeLists.txt
done <<TABLE
shared||REQUIRED PATHS $prefix NO_DEFAULT_PATH|get_target_property(is weft::core INTERFACE_LINK_LIBRARIES)\nmessage("\${is}")
static|set(WEFT_USE_STATIC_LIBS ON)|REQUIRED PATHS $prefix NO_DEFAULT_PATH|get_target_property(is weft::weft INTERFACE_LINK_LIBRARIES)\nmessage("\${is}")
component||REQUIRED COMPONENTS static PATHS $prefix NO_DEFAULT_PATH|get_target_property(is weft::core INTERFACE_LINK_LIBRARIES)\nmessage("\${is}")
twice|find_package(weft CONFIG REQUIRED PATHS $prefix NO_DEFAULT_PATH)|REQUIRED PATHS $prefix NO_DEFAULT_PATH|message("\${weft_VERSION}")
lacking||COMPONENTS static PATHS $work/lacking NO_DEFAULT_PATH|message("\${weft_FOUND}, \${weft_NOT_FOUND_MESSAGE}")
unknown||COMPONENTS channels PATHS $prefix NO_DEFAULT_PATH|message("\${weft_FOUND}, \${weft_NOT_FOUND_MESSAGE}")
newer||99 PATHS $prefix NO_DEFAULT_PATH|message("\${weft_FOUND}, \${weft_CONSIDERED_VERSIONS}")
TABLE

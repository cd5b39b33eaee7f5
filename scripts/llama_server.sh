#!/usr/bin/env bash
# Print the path of a llama-server for `make test-llm`: the one installed, else llama.cpp's own, built once (about 7 minutes on two
# cores) from the source distribution of llama-cpp-python into .cache/llama below the checkout. Needs cmake, ninja and g++.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.3.36
if command -v llama-server >/dev/null; then
  command -v llama-server
  exit
fi
dir=$PWD/.cache/llama
if [ ! -x "$dir/llama-server" ]; then
  for tool in cmake ninja g++; do
    command -v $tool >/dev/null || { echo "llama_server: $tool is missing; install it, or llama-server itself" >&2; exit 1; }
  done
  mkdir -p "$dir"
  echo "llama_server: building llama-server, about 7 minutes, log in $dir" >&2
  .venv/bin/pip download --quiet --no-deps --no-binary llama-cpp-python --dest "$dir" "llama-cpp-python==$version" >&2
  tar -C "$dir" -xzf "$dir/llama_cpp_python-$version.tar.gz"
  source=$dir/llama_cpp_python-$version/vendor/llama.cpp
  options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON
    -DLLAMA_OPENSSL=OFF -DLLAMA_CURL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF)
  cmake -S "$source" -B "$dir/build" -G Ninja "${options[@]}" >"$dir/cmake.log" 2>&1
  ninja -C "$dir/build" llama-server >"$dir/build.log" 2>&1
  install -s "$dir/build/bin/llama-server" "$dir/llama-server"
  rm -rf "$dir/build" "$dir/llama_cpp_python-$version" "$dir"/*.tar.gz
fi
echo "$dir/llama-server"

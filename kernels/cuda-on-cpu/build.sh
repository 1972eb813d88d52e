#!/bin/sh
# build.sh SDK SOURCES OUTPUT: a copy of TornadoVM's SDK for CUDA in which a driver that runs on the CPU stands for NVIDIA's
# (docs/tornadovm.md, "CUDA without a GPU").
#
#   SDK       TornadoVM's SDK for CUDA
#   SOURCES   TornadoVM's sources of the same version, of which the JNI library of the CUDA backend is built anew
#   OUTPUT    a folder to make, for TORNADOVM_HOME
#
# Needs Linux on x86-64, g++ 12 or newer, Maven (it fetches NVIDIA's compiler, 0.4 GB, from Maven Central) and JAVA_HOME.
set -eu

fail() {
  echo "build.sh: $*" >&2
  exit 2
}

[ $# -eq 3 ] || fail "SDK SOURCES OUTPUT, see the head of this file"
here=$(cd -- "$(dirname -- "$0")" && pwd)
jni=$2/tornado-drivers/cuda-jni/src/main/cpp/source
[ -n "${JAVA_HOME-}" ] || fail "JAVA_HOME is not set"
[ -d "$1/share/java/tornado" ] || fail "$1 is not the folder of a TornadoVM SDK"
[ -d "$jni" ] || fail "$2 has no tornado-drivers/cuda-jni: it must be TornadoVM's sources"
[ ! -e "$3" ] || fail "$3 exists; name a new folder"

output=$3.part
rm -rf "$output"
cp -R -- "$1" "$output"
lib=$output/lib
stand=$lib/cuda-on-cpu
rm -f "$lib"/libtornado-* "$lib"/libcuda.so* "$lib"/libnvrtc.so*
mkdir -p "$stand/nvidia"

mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dmdep.useBaseVersion=true \
  -Dartifact=org.bytedeco:cuda-redist:12.9-9.10-1.5.12:jar:linux-x86_64 -DoutputDirectory="$(cd "$stand" && pwd)"
(
  cd "$stand"
  prefix=org/bytedeco/cuda/linux-x86_64
  "$JAVA_HOME/bin/jar" xf cuda-redist-*.jar $prefix/libnvrtc.so.12 $prefix/libnvrtc-builtins.so.12.9
  mv $prefix/libnvrtc* nvidia
  rm -r org cuda-redist-*.jar
)

compile() {
  g++ -std=c++17 -O2 -Wall -Wextra -fPIC -I"$here/include" "$@"
}

java="-I$JAVA_HOME/include -I$JAVA_HOME/include/linux"
compile -shared -o "$lib/libcuda.so.1" -Wl,-soname,libcuda.so.1 "$here/driver.cpp" -lpthread -ldl
compile -shared -o "$lib/libnvrtc.so.12" -Wl,-soname,libnvrtc.so.12 "$here/compiler.cpp" -ldl
compile -o "$stand/nvrtc" "$here/nvrtc.cpp" -ldl
# shellcheck disable=SC2086 # two options
compile $java -w -fpermissive -I"$jni" -shared -o "$lib/libtornado-cuda.so" "$jni"/*.cpp \
  "$lib/libcuda.so.1" "$lib/libnvrtc.so.12" -Wl,-rpath,'$ORIGIN'
for library in cublas cudnn; do
  # shellcheck disable=SC2086
  compile $java -O3 -march=native -shared -o "$lib/libtornado-$library.so" "$here/libraries.cpp" \
    "$lib/libcuda.so.1" -Wl,-rpath,'$ORIGIN'
done
cp -R -- "$here/device" "$stand/device"
mv -- "$output" "$3"
echo "export TORNADOVM_HOME=$(cd -- "$3" && pwd)"

#!/bin/sh
# The whole forward pass of a Vision Transformer on Tessera's cpu engine and on ONNX Runtime, in turns,
# in one process: same weights, same pixels, same threads, fp32. The logits must agree.
#
#   examples/bench/vit.sh                                   ViT-B/16, batch 1 and 8, 2 threads
#   examples/bench/vit.sh --model tiny,base --batch 1 --rounds 30
#   examples/bench/vit.sh --help
#
# BENCH_JVM adds flags to the JVM that runs it, BENCH_MAVEN to the build before it (-o: offline).
set -eu
cd "$(dirname "$0")/../.."
# Where Maven itself runs on a JDK that is new enough, the first java on the PATH is taken.
[ -z "${JAVA_HOME-}" ] || PATH=$JAVA_HOME/bin:$PATH
# shellcheck disable=SC2086  # several flags
exec mvn -q -B ${BENCH_MAVEN-} -Pbench -pl src -am test-compile exec:exec \
  -Dbench.main=dev.tessera.bench.VitBenchmark \
  "-Dbench.jvm=-Xmx4g ${BENCH_JVM-}" "-Dbench.arguments=$*"

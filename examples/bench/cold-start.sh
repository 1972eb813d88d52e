#!/bin/sh
# From the shell to the label of one JPEG of 500×375: `tessera classify` and the least Java program that
# does the same with ONNX Runtime (from the .onnx file; from one that it optimised and saved before; from
# one in its own format that it maps), in turns: wall time, CPU seconds and peak memory. Models with random weights are written to src/target/bench first.
#
#   examples/bench/cold-start.sh                            ViT-Ti/16 and ViT-B/16, 9 runs of each
#   examples/bench/cold-start.sh --model tiny --rounds 25
#   examples/bench/cold-start.sh --help
#
# BENCH_MAVEN adds flags to the build before it (-o: offline).
set -eu
cd "$(dirname "$0")/../.."
# Where Maven itself runs on a JDK that is new enough, the first java on the PATH is taken.
[ -z "${JAVA_HOME-}" ] || PATH=$JAVA_HOME/bin:$PATH
# shellcheck disable=SC2086  # several flags
exec mvn -q -B ${BENCH_MAVEN-} -Pbench -pl src -am test-compile exec:exec \
  -Dbench.main=dev.tessera.bench.ColdStart "-Dbench.jvm=-Xmx2g" "-Dbench.arguments=$*"

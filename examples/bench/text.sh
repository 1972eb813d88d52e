#!/bin/sh
# Vectors of 256 texts, from ids on, by Tessera's cpu engine and by ONNX Runtime, in turns, in one process:
# same weights, same ids, same threads, fp32. The vectors must agree.
#
#   examples/bench/text.sh --model all-MiniLM-L6-v2
#   examples/bench/text.sh --model DIR --texts 1000 --words 2,12 --onnx-batch 32,256
#   examples/bench/text.sh --help
#
# The model is a sentence-transformers directory with a BERT and mean pooling. BENCH_JVM adds flags to
# the JVM that runs it, BENCH_MAVEN to the build before it (-o: offline).
set -eu
cd "$(dirname "$0")/../.."
# Where Maven itself runs on a JDK that is new enough, the first java on the PATH is taken.
[ -z "${JAVA_HOME-}" ] || PATH=$JAVA_HOME/bin:$PATH
# shellcheck disable=SC2086  # several flags
exec mvn -q -B ${BENCH_MAVEN-} -Pbench -pl src -am test-compile exec:exec \
  -Dbench.main=dev.tessera.bench.TextBenchmark \
  "-Dbench.jvm=-Xmx4g ${BENCH_JVM-}" "-Dbench.arguments=$*"

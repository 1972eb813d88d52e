#!/bin/sh
# What transfer buys on a labelled folder: trains a new model and trained ones alike and prints a table of validation accuracy
# against epochs, and the accuracy on images that were left aside, which neither training nor choosing saw.
#
#   examples/transfer.sh DIR RUNS [NAME=MODEL ...]
#
# RUNS is where the runs go; finished ones are not repeated. Settings, with what they are if nobody says:
#
#   SCRATCH="--init vit-micro --patch-size 7 --hidden-size 128 --heads 2 --channels 1 --image-size 28"    the new model
#   SPLIT="--group blocks:100 --validation 0.2 --test 0.2"    near-copies have neighbouring numbers and stay together
#   EPOCHS="1 2 5 10 20 30"    columns; the last one is how long all are trained
#   SEEDS="1 2 3"              trainings of each kind, of which the table gives the means
set -eu
[ $# -ge 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
images=$1 runs=$2
shift 2
scratch=${SCRATCH---init vit-micro --patch-size 7 --hidden-size 128 --heads 2 --channels 1 --image-size 28}
split=${SPLIT---group blocks:100 --validation 0.2 --test 0.2}
columns=${EPOCHS-1 2 5 10 20 30}
seeds=${SEEDS-1 2 3}
epochs=${columns##* }

# number KEY FILE: the values of KEY, a line each
number() {
  sed -n 's/.*"'"$1"'" *: *\([0-9.eE+-]*\).*/\1/p' "$2"
}

row() {
  name=$1
  shift
  for seed in $seeds; do
    run=$runs/$name-$seed
    if [ ! -f "$run/test.json" ]; then
      # shellcheck disable=SC2086
      "$root/tessera" train "$images" "$@" $split --epochs "$epochs" --seed "$seed" --overwrite --output "$run" >&2
      "$root/tessera" eval "$run/best" "$run/split.csv" --split test --output "$run/test.json"
    fi
  done
  printf '| %s |' "$name"
  for column in $columns; do
    for seed in $seeds; do
      number validation_accuracy "$runs/$name-$seed/metrics.jsonl" | sed -n "${column}p"
    done | awk '{ sum += $1 } END { printf " %.1f |", 100 * sum / NR }'
  done
  for seed in $seeds; do
    number top1 "$runs/$name-$seed/test.json"
  done | awk '{ sum += $1; if (NR == 1 || $1 < low) low = $1; if ($1 > high) high = $1 }
    END { printf " %.1f (%.1f to %.1f) |\n", 100 * sum / NR, 100 * low, 100 * high }'
}

mkdir -p "$runs"
printf '| start | epoch %s | test |\n' "$(echo "$columns" | sed 's/ / | /g')"
echo "|-|$(echo "$columns" | sed 's/[0-9][0-9]*/-:|/g; s/ //g')-:|"
# shellcheck disable=SC2086
row scratch $scratch
for model; do
  row "${model%%=*}" --init "${model#*=}"
done

#!/usr/bin/env bash
#
# Builds the committed models anew: features -> training -> int8 and int4 bundles -> comparison with PyTorch; and those
# of the order flow: events -> training -> int8 bundle.
#
#   rebuild.sh [bitstamp] [lobster] [bitstamp-events] [lobster-events]
#                                        all without arguments; lobster and lobster-events need $LOBSTER
#
#   TIERCEL    the tiercel command                  (tools/tiercel)
#   PYTHON     a Python with PyTorch and NumPy      (/usr/bin/python3; Debian: apt-get install python3-torch)
#   TRAIN      0: bundles of the order flow from the weights that are committed, without PyTorch
#   LOBSTER    the GOOG sample of lobsterdata.com   (../shared/data/lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip)
#
# Intermediate files go to tools/target/training. A few minutes on one core; the events' models a quarter of an hour
# each, with a good BLAS (Debian: apt-get install libopenblas0-serial), and several times that without.

set -euo pipefail
cd "$(dirname "$0")/../.."

tiercel=${TIERCEL:-tools/tiercel}
python=${PYTHON:-/usr/bin/python3}
lobster=${LOBSTER:-../shared/data/lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip}
work=tools/target/training
weights=tools/training/fp32
models=tools/src/main/resources/io/tiercel/tools/models
mkdir -p "$work" "$weights" "$models"

build() { # name input data label-rule
  local name=$1 rows=$work/$1.csv
  "$tiercel" features --input "$2" --output "$rows"
  "$python" tools/training/train_lstm.py --rows "$rows" --output "$weights/$name.safetensors" \
    --probabilities "$work/$name-pytorch.npy" --name "$name-lstm" --data "$3" --label-rule "$4"
  for form in int8 int4; do
    "$tiercel" model quantize "$weights/$name.safetensors" --weights "$form" --calibrate "$rows" --evaluate "$rows" \
      --output "$models/$name-$form.safetensors"
    "$tiercel" model run "$models/$name-$form.safetensors" --input "$rows" --output "$work/$name-$form.csv"
    "$python" tools/training/compare_probabilities.py "$work/$name-pytorch.npy" "$work/$name-$form.csv"
  done
}

build_events() { # name data cache named-tokens events-arguments -- training-arguments
  local name=$1 data=$2 cache=$3 top=$4 input=()
  shift 4
  while [ "$1" != -- ]; do
    input+=("$1")
    shift
  done
  shift
  if [ "${TRAIN:-1}" != 0 ]; then
    "$tiercel" events "${input[@]}" --output "$work/$name.npy" --save-vocabulary "$work/$name-vocabulary.json"
    "$python" tools/training/train_events.py --events "$work/$name.npy" --vocabulary "$work/$name-vocabulary.json" \
      --output "$weights/$name" --logits "$work/$name-logits.npy" --name "$name" --data "$data" "$@"
  fi
  "$tiercel" events "${input[@]}" --vocabulary "$weights/$name/vocabulary.json" --output "$work/$name.csv"
  "$tiercel" model quantize "$weights/$name" --weights int8 --kv "$cache" --window 64 --context 256 \
    --top "$top" --calibrate "$work/$name.csv" --evaluate "$work/$name.csv" --output "$models/$name.safetensors"
}

need_lobster() {
  if [ ! -f "$lobster" ]; then
    echo "rebuild.sh: $1 not built: no file LOBSTER=$lobster" >&2
    exit 3
  fi
}

bitstamp_data="Bitstamp BTC/USD trades, 25 November to 1 December 2013, from org.ta4j:ta4j-examples 0.18 (MIT)"

[ $# -gt 0 ] || set -- bitstamp lobster bitstamp-events lobster-events
for each in "$@"; do
  case $each in
    bitstamp)
      build bitstamp bitstamp "$bitstamp_data" \
        "mean price of the next 8 trades against the last price: up or down beyond 3 basis points, else flat"
      ;;
    lobster)
      need_lobster lobster
      build lobster "$lobster" \
        "LOBSTER sample GOOG 2012-06-21, best quotes and trades; R. Huang, T. Polak, LOBSTER (2011)" \
        "mean mid price of the next 10 events against the mid price: up or down beyond a 25th of the spread, else flat"
      ;;
    bitstamp-events)
      build_events bitstamp-events "$bitstamp_data" 1/1 16 \
        --input bitstamp -- --layers 2 --batch 2 --rate 6e-3 --epochs 30
      ;;
    lobster-events)
      need_lobster lobster-events
      build_events lobster-events \
        "LOBSTER sample GOOG 2012-06-21, all messages of ten levels; R. Huang, T. Polak, LOBSTER (2011)" 2/2 32 \
        --input lobster --lobster "$lobster" -- --layers 3 --batch 2 --rate 6e-3 --epochs 40
      ;;
    *)
      echo "rebuild.sh: model=$each is none of bitstamp, lobster, bitstamp-events, lobster-events" >&2
      exit 2
      ;;
  esac
done

#!/usr/bin/env bash
#
# Builds the committed models anew: features -> training -> int8 and int4 bundles -> comparison with PyTorch.
#
#   rebuild.sh [bitstamp] [lobster]      both without arguments; lobster needs $LOBSTER
#
#   TIERCEL    the tiercel command                  (tools/tiercel)
#   PYTHON     a Python with PyTorch and NumPy      (/usr/bin/python3; Debian: apt-get install python3-torch)
#   LOBSTER    the GOOG sample of lobsterdata.com   (../shared/data/lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip)
#
# Intermediate files go to tools/target/training. A few minutes on one core.

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

[ $# -gt 0 ] || set -- bitstamp lobster
for each in "$@"; do
  case $each in
    bitstamp)
      build bitstamp bitstamp \
        "Bitstamp BTC/USD trades, 25 November to 1 December 2013, from org.ta4j:ta4j-examples 0.18 (MIT)" \
        "mean price of the next 8 trades against the last price: up or down beyond 3 basis points, else flat"
      ;;
    lobster)
      if [ ! -f "$lobster" ]; then
        echo "rebuild.sh: lobster not built: no file LOBSTER=$lobster" >&2
        exit 3
      fi
      build lobster "$lobster" \
        "LOBSTER sample GOOG 2012-06-21, best quotes and trades; R. Huang, T. Polak, LOBSTER (2011)" \
        "mean mid price of the next 10 events against the mid price: up or down beyond a 25th of the spread, else flat"
      ;;
    *)
      echo "rebuild.sh: model=$each is neither bitstamp nor lobster" >&2
      exit 2
      ;;
  esac
done

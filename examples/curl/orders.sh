#!/bin/sh
# The walk of an order from a shell: sh orders.sh
set -eu
url=${OPENALGO_URL:-http://127.0.0.1:5000}

call() { # call ENDPOINT FIELDS
  curl --silent --show-error --noproxy '*' "$url/api/v1/$1" \
    --header 'Content-Type: application/json' \
    --data "{\"apikey\": \"$OPENALGO_KEY\", \"strategy\": \"curl\"${2:+, $2}}"
  echo
}

call quotes '"symbol": "SBIN", "exchange": "NSE"' | sed 's/"strategy".*//'
call placeorder '"symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": 1,
  "pricetype": "LIMIT", "product": "MIS", "price": 500'
call orderbook
call cancelallorder

id="msg_$(date +%s%N)"  at=$(date +%s)  body='{"hello": "SolFlow"}'
key=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
signature=$(printf '%s.%s.%s' "$id" "$at" "$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl -X POST {{ url }} \
  -H "webhook-id: $id" -H "webhook-timestamp: $at" \
  -H "webhook-signature: v1,$signature" \
  -H "Content-Type: application/json" -d "$body"

curl -X POST {{ url }} \
  -H "Authorization: $SECRET" \
  -H "Content-Type: application/json" \
  -d '{"hello": "SolFlow"}'

"""A stand-in for Discord, so that nobody needs an account there to see messages arrive. Exists in `up` only.

`POST /inbox/api/webhooks/<id>/<token>` speaks Discord's webhook protocol; `/inbox/` shows what came.
"""

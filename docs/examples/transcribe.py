import json, os, urllib.request

def call(method, path, body=None):
    headers = {"Authorization": "Bearer " + os.environ["BACKEND_KEY"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(os.environ["TOLLGRAPH"] + path, data, headers, method=method)))

spend = {"endpoint": "/transcribe", "quantities": [{"meter": "videos", "quantity": 3}], "reserve": True}
verdict = call("POST", "/v1/keys/verify", {"secret": os.environ["CUSTOMER_KEY"], "spend": spend})
if not verdict["valid"]: raise SystemExit(verdict["code"])
done = 2  # The work: of three videos one was broken.
call("POST", f"/v1/reservations/{verdict['reservation']['id']}/settle", {"quantities": [{"meter": "videos", "quantity": done}]})
while (usage := call("GET", f"/v1/usage?accountId={verdict['accountId']}"))["stale"]: pass  # Each waits a second.
print(usage["totals"])

"""The Python client of the reference's documentation: URL and key are the service's own, nothing else was changed."""

import json
import os

import requests

data = json.loads(os.environ["SAMPLE"])
body = str.encode(json.dumps(data))

url = os.environ["URL"]
api_key = os.environ["KEY"]
headers = {"Content-Type": "application/json", "Authorization": ("Bearer " + api_key)}

resp = requests.post(url, body, headers=headers)
print(resp.text)

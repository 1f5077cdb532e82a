"""The server takes parts of items that are given, and returns all parts."""

import base64
import io

import numpy as np
from PIL import Image
from serving import served, warmed
from things import picture
from toy_models import toy


def test_the_server_takes_given_parts_and_returns_all():
    content = io.BytesIO()
    picture(7).save(content, "PNG")
    given = {"picture": base64.b64encode(content.getvalue()).decode()}
    with served({"things": toy("joint")}) as client:
        warmed(client)
        body = {"n": 2, "seed": 1, "given": given, "where": ["color=red"]}
        answer = client.post("/models/things/samples", json=body, headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        parts = answer.json()["parts"]
        shown = Image.open(io.BytesIO(base64.b64decode(parts["picture"]["images"][0])))
        assert np.array_equal(np.asarray(shown), np.asarray(picture(7)))
        assert [row["color"] for row in parts["row"]["rows"]] == ["red", "red"]
        refused = client.post("/models/things/samples", json={"n": 1, "given": ["picture=/etc/hostname"]})
        assert refused.status_code == 422
        assert "no content of one in Base64" in refused.json()["detail"]

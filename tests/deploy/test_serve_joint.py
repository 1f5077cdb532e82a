"""The server takes parts of items that are given, and returns all parts."""

import base64
import io
from email import message_from_bytes

import numpy as np
import pandas as pd
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


def test_the_parts_are_sent_as_the_files_of_a_form():
    model = toy("joint")
    with served({"things": model}) as client:
        warmed(client)
        body, files = {"n": 2, "seed": 1}, {"accept": "multipart/form-data"}
        answer = client.post("/models/things/samples", json=body, headers=files)
        assert answer.status_code == 200, answer.text
        assert client.post("/models/things/samples", json=body).headers["content-type"] == "image/png"
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    fields = {part.get_filename(): part for part in message_from_bytes(head + answer.content).get_payload()}
    assert {name: part.get_param("name", header="content-disposition") for name, part in fields.items()} == {
        "pictures/0.png": "pictures", "pictures/1.png": "pictures", "items.csv": "items",
    }  # fmt: skip
    assert fields["items.csv"].get_content_type() == "text/csv"
    expected = model.sample(2, seed=1).items.parts
    shown = Image.open(io.BytesIO(fields["pictures/1.png"].get_payload(decode=True)))
    assert np.array_equal(np.asarray(shown), expected["picture"][1])
    rows = pd.read_csv(io.BytesIO(fields["items.csv"].get_payload(decode=True)))
    assert rows["picture"].tolist() == ["pictures/0.png", "pictures/1.png"]
    assert rows["color"].tolist() == expected["row"]["color"].tolist()

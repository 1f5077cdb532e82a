"""Sounds that are sent to a server and come back restored."""

import io

import numpy as np
import pytest
import soundfile
from serving import served, warmed
from toy_models import toy


@pytest.fixture(scope="module")
def models():
    return {"clean": toy("audio_denoise"), "voice": toy("vocoder")}


@pytest.fixture(scope="module")
def client(models):
    with served(models) as client:
        warmed(client)
        yield client


def wav(samples, rate=8000):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


@pytest.mark.parametrize("name", ["clean", "voice"])
@pytest.mark.parametrize(("media", "form"), [("audio/wav", "WAV"), ("audio/flac", "FLAC")])
def test_sounds_come_back_with_their_length_and_channels(client, models, name, media, form):
    sound = np.random.default_rng(0).normal(0, 0.1, (1234, 2)).astype(np.float32)
    answer = client.post(
        f"/models/{name}/apply", content=wav(sound), headers={"Content-Type": "audio/wav", "Accept": media}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    with soundfile.SoundFile(io.BytesIO(answer.content)) as file:
        assert (file.format, file.samplerate, file.channels) == (form, 8000, 2)
        received = file.read(dtype="float32")
    assert np.abs(received - models[name].apply(sound).clip(-1, 1)).max() < 1e-4


def test_wav_is_the_default_and_images_are_not_offered(client):
    sent = {"content": wav(np.zeros((500, 1))), "headers": {"Content-Type": "application/octet-stream"}}
    assert client.post("/models/clean/apply", **sent).headers["content-type"] == "audio/wav"
    sent["headers"]["Accept"] = "image/png"
    answer = client.post("/models/clean/apply", **sent)
    assert answer.status_code == 406
    assert "available as audio/wav, audio/flac" in answer.text


def test_what_is_no_sound_is_refused(client):
    answer = client.post("/models/clean/apply", content=b"not a sound", headers={"Content-Type": "audio/wav"})
    assert answer.status_code == 422
    assert "cannot be used" in answer.text
    assert "/tmp" not in answer.text

"""Music: reading and writing scores, both encodings and their inverses, and unusable files."""

import tarfile
import wave
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from songs import chorale, chorales, midi

import sparring
from sparring import recipes
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.evaluation.evaluate import evaluate
from sparring.files import places
from sparring.metrics import rolls
from sparring.modalities import find
from sparring.modalities.music import Music, Rolls
from sparring.modalities.music.grid import ordered, place
from sparring.modalities.music.reading import read_score
from sparring.modalities.music.score import PITCH
from sparring.modalities.music.voices import note, why_no_voices
from sparring.modalities.music.writing import joined, write_midi, write_musicxml, write_wav

SETS = [name for name in ("chorales", "nottingham") if (places("music")[0]).exists()]


def read(path):
    return read_score(path.name, path.read_bytes())


def voices_of(items, **settings):
    return Music(**{"bars": 2, **settings}).fit(items)


def test_folders_zips_and_tars_of_midi(tmp_path):
    folder = chorales(tmp_path / "songs", 3)
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"songs/{path.name}")
    with tarfile.open(tmp_path / "songs.tgz", "w:gz") as archive:
        archive.add(folder, "songs")
    for place_ in ("songs", "songs.zip", "songs.tgz"):
        items = find(tmp_path / place_)
        assert (items.kind, len(items), items.name) == ("music", 3, "songs")
        assert [score.tracks for score in items.items] == [read(p).tracks for p in sorted(folder.iterdir())]


def test_tables_of_voices_hold_out_the_folder_test(tmp_path):
    rows = "note0,note1\n" + "\n".join(["60,48"] * 3 + ["60,50"] * 2 + ["0,50"])
    for name in ("train/a", "train/b", "test/c"):
        path = tmp_path / "set" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rows)
    items = find(tmp_path / "set")
    assert items.held.tolist() == [True, False, False]
    high, low = items.items[0].tracks
    assert high.notes[:, :3].tolist() == [[0, 5, 60]]
    assert low.notes[:, :3].tolist() == [[0, 3, 48], [3, 6, 50]]


def test_tables_with_other_columns_are_no_music(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert find(tmp_path / "t.csv").kind == "rows"


def test_damaged_files(tmp_path):
    whole = midi(chorale(), tmp_path / "whole.mid").read_bytes()
    smpte = whole[:12] + b"\xe7\x28" + whole[14:]
    wrong = {
        "empty.mid": (b"", "is not a MIDI file"),
        "text.mid": (b"hello", "is not a MIDI file"),
        "cut.mid": (whole[:60], "is damaged"),
        "smpte.mid": (smpte, "counts time in frames"),
        "none.mid": (midi([[]], tmp_path / "none.mid").read_bytes(), "has no notes"),
        "silence.csv": (b"note0\n0\n0\n", "has no notes"),
        "letters.csv": (b"note0\nc\n", "is damaged"),
        "high.csv": (b"note0\n200\n", "from 0 to 127"),
        "uneven.csv": (b"note0,note1\n60\n60,62\n", "is damaged"),
    }
    for name, (content, message) in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            find(tmp_path / name)


def test_damaged_files_of_a_folder_are_named(tmp_path):
    chorales(tmp_path / "songs", 3)
    (tmp_path / "songs" / "bad.mid").write_bytes(b"MThd")
    items = find(tmp_path / "songs")
    assert len(items) == 3
    assert "skipped 1 of 4: bad.mid is damaged" in items.notes[0]
    for path in (tmp_path / "songs").glob("0*.mid"):
        path.unlink()
    with pytest.raises(InputError, match=r"holds no piece that can be read: bad\.mid"):
        find(tmp_path / "songs")


@pytest.mark.parametrize(
    "content", [b"MThd" + bytes(30), b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x01\xe0MTrk\xff\xff\xff\xff"]
)
def test_headers_that_lie(content, tmp_path):
    (tmp_path / "x.mid").write_bytes(content)
    with pytest.raises(InputError):
        find(tmp_path / "x.mid")


def test_midi_is_written_as_it_was_read(tmp_path):
    path = midi(chorale(), tmp_path / "a.mid", metre=(3, 4), programs=(40, 41, 42, 43))
    score = read(path)
    write_midi([score], tmp_path / "b.mid")
    again = read(tmp_path / "b.mid")
    assert again.tracks == score.tracks
    assert (again.resolution, again.metres, again.tempo) == (480, ((0, 3, 4),), 90)


def test_several_pieces_begin_on_bar_lines(tmp_path):
    score = read(midi([[(0, 1, 60)], [(0, 5, 50)]], tmp_path / "a.mid"))
    both = joined([score, score])
    assert both.tracks[0].notes[:, 0].tolist() == [0, 3 * 4 * 480]


def test_sound_and_notation(tmp_path):
    score = read(midi([[(0, 4, 69), (4, 4, 71)]], tmp_path / "a.mid"))
    write_wav([score], tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as sound:
        rate, samples = sound.getframerate(), np.frombuffer(sound.readframes(10**7), "<i2")
    assert len(samples) == pytest.approx(rate * 8 * 60 / 90, rel=0.1)
    assert 0.8 < np.abs(samples).max() / 32768 <= 1
    first = np.abs(np.fft.rfft(samples[:rate]))
    assert np.argmax(first) == pytest.approx(440, abs=2)
    write_musicxml([score], tmp_path / "a.musicxml")
    root = ElementTree.parse(tmp_path / "a.musicxml").getroot()
    notes = [(n.findtext("pitch/step"), n.findtext("pitch/octave"), n.findtext("type")) for n in root.iter("note")]
    assert notes == [("A", "4", "whole"), ("B", "4", "whole")]


def test_notation_ties_notes_over_bar_lines(tmp_path):
    score = read(midi([[(3, 2, 61), (3, 1, 64)]], tmp_path / "a.mid"))
    write_musicxml([score], tmp_path / "a.musicxml")
    measures = list(ElementTree.parse(tmp_path / "a.musicxml").getroot().iter("measure"))
    last, first = measures[0].findall("note")[-2:], measures[1].findall("note")[0]
    assert [tie.get("type") for tie in last[0].findall("tie")] == ["start"]
    assert last[1].find("chord") is not None
    assert not last[1].findall("tie")
    assert [tie.get("type") for tie in first.findall("tie")] == ["stop"]
    assert (first.findtext("pitch/step"), first.findtext("pitch/alter")) == ("C", "1")
    per_bar = [sum(int(n.findtext("duration")) for n in m.findall("note") if n.find("chord") is None) for m in measures]
    assert per_bar == [1920, 1920]


def test_notation_is_read_as_it_was_written(tmp_path):
    score = read(midi([*chorale(), [(3, 2, 61), (3, 1, 64), (7, 9, 50)]], tmp_path / "a.mid"))
    write_musicxml([score], tmp_path / "a.musicxml")
    again = read(tmp_path / "a.musicxml")
    for one, other in zip(score.tracks, again.tracks, strict=True):
        assert np.array_equal(one.notes[:, :3] * [2, 2, 1], other.notes[:, :3])
        assert one.name == other.name
    assert (again.metres, again.tempo) == (score.metres, score.tempo)
    with zipfile.ZipFile(tmp_path / "b.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.write(tmp_path / "a.musicxml", "score.xml")
    assert read(tmp_path / "b.mxl").tracks == again.tracks


MEASURE = """<?xml version="1.0"?><score-partwise><part-list><score-part id="P1"><part-name>x</part-name></score-part>
</part-list><part id="P1"><measure number="1"><attributes><divisions>2</divisions><transpose><chromatic>-2</chromatic>
</transpose></attributes>{}</measure></part></score-partwise>"""
NOTE = "<note>{}<pitch><step>{}</step><octave>4</octave></pitch><duration>{}</duration></note>"


def test_notation_of_two_voices_in_a_part():
    body = NOTE.format("", "C", 4) + "<backup><duration>4</duration></backup>" + NOTE.format("", "E", 2)
    body += NOTE.format("<grace/>", "F", 0) + "<forward><duration>2</duration></forward>" + NOTE.format("", "G", 2)
    notes = read_score("x.musicxml", MEASURE.format(body).encode()).tracks[0].notes
    assert notes[:, :3].tolist() == [[0, 1920, 58], [0, 960, 62], [1920, 2880, 65]]


@pytest.mark.parametrize("content", [b"", b"<a>", b"<score-timewise/>", MEASURE.format(NOTE).encode()])
def test_damaged_notation(content):
    with pytest.raises(InputError, match=r"x\.musicxml is"):
        read_score("x.musicxml", content)


def test_voices_and_back(tmp_path):
    items = find(chorales(tmp_path / "songs", 6))
    music = voices_of(items)
    for score in items.items:
        codes = music.codes(score)
        again = music.score(music.unscale(music.scale(codes[None]))[0].numpy(), 1)
        for one, other in zip(ordered(score), again.tracks, strict=True):
            assert np.array_equal(one.notes[:, : PITCH + 1], other.notes[:, : PITCH + 1])


def test_notes_between_steps_are_counted_and_moved(tmp_path):
    tracks = [[(0, 0.5, 60), (0.5, 0.25, 62), (0.75, 0.25, 64), (1.02, 6.98, 65)], [(0, 8, 48)]]
    folder = tmp_path / "songs"
    for name in "ab":
        midi(tracks, folder / f"{name}.mid")
    items = find(folder)
    encoded = voices_of(items, bars=1).encode(items)
    assert "of 10 notes, 4 begin or end between steps and are moved, 2 fall between steps" in encoded.notes[0]
    assert "0 fall between" in voices_of(items, bars=1, grid=4).encode(items).notes[0]


def test_windows_are_transposed_within_the_ranges(tmp_path):
    items = find(chorales(tmp_path / "songs", 8))
    music = voices_of(items)
    codes = music.encode(items).values
    moved = torch.cat([music.transposed(codes) for _ in range(20)])
    pitches, before = music.pitches(moved.numpy()), music.pitches(codes.repeat(20, 1, 1).numpy())
    assert len(np.unique((pitches - before).max((1, 2)))) > 2
    assert np.ptp((pitches - before).reshape(len(pitches), -1), axis=1).max() == 0
    lows, highs = (np.array(x)[:, None] for x in (music.lows, music.highs))
    assert ((pitches >= lows) & (pitches <= highs)).all()


def test_unusable_voices(tmp_path):
    midi([[(0, 8, 60), (4, 8, 64)], [(0, 8, 48)]], tmp_path / "chords" / "a.mid")
    with pytest.raises(InputError, match="track 1 plays several notes at once; use the recipe musegan"):
        Music().fit(find(tmp_path / "chords"))
    midi([[(0, 1, 60)], [(0, 1, 48)]], tmp_path / "short" / "a.mid")
    items = find(tmp_path / "short")
    with pytest.raises(InputError, match="shorter than 8 bars"):
        Music().fit(items).encode(items)


def test_choice_of_the_recipe(tmp_path):
    assert recipes.choose(find(chorales(tmp_path / "v", 3)), "cpu")[0].name == "chorale"
    midi([[(0, 8, 60), (0, 8, 64)], [(0, 8, 48)]], tmp_path / "r" / "a.mid")
    assert recipes.choose(find(tmp_path / "r"), "cpu")[0].name == "musegan"


def test_rolls_and_back(tmp_path):
    random = np.random.default_rng(0)
    folder = tmp_path / "songs"
    for i in range(4):
        melody = [(j / 2, 0.5, int(60 + random.integers(12))) for j in range(32)]
        chords = [(4 * j, 4, 40 + k + int(random.integers(3))) for j in range(4) for k in (0, 4, 7)]
        drums = [(j, 0.25, 36) for j in range(16)]
        midi([melody, chords, drums], folder / f"{i}.mid", programs=(0, 33, 0), drums=(2,))
    items = find(folder)
    kind = Rolls(bars=4).fit(items)
    assert kind.slots == ((False, 0, 0), (False, 33, 0), (True, 0, 0))
    encoded = kind.encode(items)
    assert encoded.values.shape == (4, 6, kind.rows, 64)
    for score, codes in zip(items.items, encoded.values, strict=True):
        again = kind.score(kind.unscale(kind.scale(codes[None]))[0].numpy(), 1)
        assert [t.drum for t in again.tracks] == [False, False, True]
        for one, other in zip(score.tracks, again.tracks, strict=True):
            assert np.array_equal(one.notes[:, : PITCH + 1], other.notes[:, : PITCH + 1])
    moved = kind.transposed(encoded.values)
    assert torch.equal(moved[:, 4:], encoded.values[:, 4:])  # drums keep their pitches
    assert torch.equal(moved.sum((1, 2, 3)), encoded.values.sum((1, 2, 3)))


def test_bars_are_counted_after_an_upbeat(tmp_path):
    import symusic

    path = midi([[(i, 1, 60 + i % 5) for i in range(9)]], tmp_path / "s" / "a.mid")
    score = symusic.Score(str(path))
    score.time_signatures.append(symusic.TimeSignature(480, 4, 4))
    path.write_bytes(score.dumps_midi())
    items = find(tmp_path / "s")
    kind = Rolls(bars=2).fit(items)
    (window,) = kind.encode(items).values
    assert kind.low + int(window[0, :, 0].argmax()) == 61  # the second quarter


def test_survey(tmp_path):
    folder = chorales(tmp_path / "songs", 3)
    (folder / "again.mid").write_bytes((folder / "00.mid").read_bytes())
    survey = Music.survey(find(folder), "songs")
    rows = dict(survey.rows())
    assert rows["metres"] == "4/4 (4)"
    assert rows["tracks"] == "4 (4)"
    assert rows["grid"].startswith("1 steps per quarter")
    assert rows["duplicates"] == "1: again.mid"
    assert survey.content()["programs"] == {"0": 16}


def test_a_melody_is_harmonized(tmp_path):
    settings = {"out": tmp_path / "run", "steps": 2, "quiet": True, "device": "cpu"}
    fields = {"bars": 2, "width": 8, "depth": 1, "D": 8, "batch": 4}
    model = sparring.train("chorale", chorales(tmp_path / "songs", 24), **settings, **fields)
    from sparring.use.apply import apply

    low, high = model.modality.lows[0], model.modality.highs[0]
    melody = midi([[(0, 1.5, low + 2), (1.5, 0.7, high - 1), (3, 5, low + 4)]], tmp_path / "m.mid", resolution=96)
    assert apply(model, melody, tmp_path / "c.mid").count == 1
    given, made = read(melody), read(tmp_path / "c.mid")
    assert len(made.tracks) == 4
    scaled = given.tracks[0].notes[:, :3] * [made.resolution / 96, made.resolution / 96, 1]
    assert np.array_equal(made.tracks[0].notes[:, :3], scaled)  # as it was given, off the grid too
    octave = midi([[(0, 4, low - 12 + 2)]], tmp_path / "o.mid")
    apply(model, octave, tmp_path / "d.musicxml")
    assert read(octave).tracks[0].notes[0, PITCH] == low - 10
    for tracks, message in [
        ([[(0, 1, low)], [(0, 1, low)], [(0, 1, low)], [(0, 1, low)]], "has 4 tracks; give 1 to 3"),
        ([[(0, 4, low), (1, 4, low + 2)]], "plays several notes at once"),
        ([[(0, 4, 2), (4, 4, 120)]], "does not fit the ranges"),
    ]:
        with pytest.raises(InputError, match=message):
            apply(model, midi(tracks, tmp_path / "x.mid"), tmp_path / "e.mid")
    with pytest.raises(InputError, match=r"cannot be written as \.gif"):
        apply(model, melody, tmp_path / "e.gif")
    with pytest.raises(InputError, match="take no --mask, --reverse"):
        apply(model, melody, tmp_path / "e.mid", reverse=True)


def test_formats_of_samples(tmp_path):
    fields = {"bars": 2, "width": 8, "D": 8, "batch": 4}
    settings = {"out": tmp_path / "run", "steps": 1, "quiet": True, "device": "cpu"}
    model = sparring.train("musegan", chorales(tmp_path / "songs", 6), **settings, **fields)
    samples = model.sample(2, seed=0)
    for name in ("a.mid", "a.wav", "a.musicxml", "a.png", "folder"):
        samples.save(tmp_path / name)
    assert len(list((tmp_path / "folder").glob("*.mid"))) == 2
    assert len(samples.modality.as_json(samples)["pieces"]) == 2
    with pytest.raises(InputError, match="length=0"):
        model.sample(1, length=0)


@pytest.mark.skipif("chorales" not in SETS, reason="needs the chorales")
def test_all_chorales_and_back():
    """On the grid of sixteenths nothing is lost; of eighths, what sounds at each of them is kept."""
    items = find("chorales")
    assert (len(items), int(items.held.sum())) == (382, 77)
    fine, coarse = Music(grid=4).fit(items), Music(grid=2).fit(items)
    for score in items.items:
        again = fine.score(fine.codes(score).numpy(), 1)
        assert [place(t, 480, 4).notes[:, :3].tolist() for t in again.tracks] == [
            t.notes[:, :3].tolist() for t in ordered(score)
        ]
        assert np.array_equal(fine.matrix(score)[::2], coarse.matrix(score))


@pytest.mark.skipif("nottingham" not in SETS, reason="needs the tunes")
def test_all_tunes_and_back():
    """Notes that begin and end on the grid come back as they were, with repeated notes, up to a cut at a unison."""
    items = find("nottingham")
    assert len(items) == 1034
    kind = Rolls(grid=4).fit(items)
    for score in items.items:
        again = kind.score(kind.planes(score), 1)
        for one, other in zip(score.tracks, again.tracks, strict=False):
            placed = place(one, score.resolution, 4)
            assert {tuple(n) for n in placed.notes[:, [0, 2]].tolist()} == {
                tuple(n) for n in place(other, 480, 4).notes[:, [0, 2]].tolist()
            }


def test_names_of_pitches():
    assert (note(60), note(70)) == ("C4", "Bb4")


def test_why_a_score_has_no_voices(tmp_path):
    score = read(midi([[(0, 1, 60)]], tmp_path / "a.mid"))
    assert why_no_voices(score, 4, 2) == "a.mid: it has 1 tracks, most pieces have 4"


def test_features_tell_music_from_noise(tmp_path):
    items = find(chorales(tmp_path / "songs", 6))
    music = voices_of(items)
    real = music.scale(music.encode(items).values)
    pitches = torch.stack([torch.randint(size, real.shape[::2]) for size in music.layout.sizes], 1)
    noise = music.scale(torch.cat([pitches, torch.zeros_like(pitches)], 1))
    a, b, c = (music.features({VALUES: x}).mean(0) for x in (real[::2], real[1::2], noise))
    assert (a - b).norm() < (a - c).norm() / 3


def test_only_music_is_completed(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=1, quiet=True, device="cpu", batch=4)
    with pytest.raises(InputError, match="generates whole images"):
        model.complete({VALUES: torch.zeros(1)}, torch.zeros(1))


@pytest.mark.parametrize("recipe", ["chorale", "musegan"])
def test_judges_tell_real_pieces_from_trivial_ones(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.metrics.two_sample.STEPS", 20)
    fields = {"bars": 2, "width": 8, "D": 8, "batch": 4}
    settings = {"out": tmp_path / "run", "steps": 1, "quiet": True, "device": "cpu"}
    model = sparring.train(recipe, chorales(tmp_path / "songs", 40), **settings, **fields)
    found = evaluate(model, samples=6)
    assert found.samples == 6
    assert found.of_real("c2st_auc") < 0.8 < found["c2st_auc"]
    assert recipe == "musegan" or found.of_baseline("shuffled", "c2st_auc") > 0.8  # rolls have few windows here
    names = {"chorale": ("parallels", "in_scale"), "musegan": ("note_lengths", "self_similarity")}[recipe]
    apart = [abs(found.of_real(name) - found[name]) for name in names]
    assert all(distance > 0.05 for distance in apart)  # an untrained net is far from real pieces
    with pytest.raises(InputError, match="too few to evaluate"):
        evaluate(model, samples=2)


def test_metrics_of_rolls():
    roll = np.zeros((2, 24, 16), bool)
    roll[0, [0, 4, 7], :8] = True  # a triad in the first bar, on the lowest pitch
    begins = np.zeros_like(roll)
    begins[0, [0, 4, 7], 0] = True
    begins[0, 0, 4] = True
    assert rolls.empty_bars(roll, 8) == 0.75
    assert rolls.used_pitch_classes(roll, 8, 60) == 3
    assert rolls.polyphony(roll) == 3
    assert rolls.in_scale(roll, 60) == 1
    assert rolls.self_similarity(np.concatenate([roll[:, :, :8]] * 2, 2), 8) == 1
    assert rolls.note_lengths(roll, begins, 8).tolist() == [0, 0, 0, 0.5, 0, 0, 0, 0.5]
    moved = np.roll(roll, 3, 1)
    assert rolls.copied_bars([moved], [roll], 8, 1) == 1
    moved[0, 3, 2] = False
    assert rolls.copied_bars([moved], [roll], 8, 1) == 0


@pytest.mark.parametrize("suffix", [".mid", ".musicxml"])
def test_damage_is_one_line(suffix, tmp_path):
    """Bytes that are changed, missing or added make an error for the user, or a score, and nothing else."""
    path = midi(chorale(), tmp_path / "a.mid")
    whole = path.read_bytes()
    if suffix == ".musicxml":
        write_musicxml([read(path)], tmp_path / "a.musicxml")
        whole = (tmp_path / "a.musicxml").read_bytes()[:4000]
    random, messages = np.random.default_rng(0), []
    for _ in range(100):
        content, place_ = bytearray(whole), int(random.integers(len(whole)))
        content[place_ : place_ + int(random.integers(20))] = random.bytes(int(random.integers(20)))
        try:
            assert read_score(f"x{suffix}", bytes(content)).tracks
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)


@pytest.mark.parametrize("recipe", ["chorale", "musegan"])
def test_nets_are_exported(recipe, tmp_path):
    fields = {"bars": 2, "width": 8, "D": 8, "batch": 4} | ({"depth": 1} if recipe == "chorale" else {})
    settings = {"out": tmp_path / "run", "steps": 1, "quiet": True, "device": "cpu"}
    model = sparring.train(recipe, chorales(tmp_path / "songs", 6), **settings, **fields)
    graph = model.game.graph(model.modality)
    dynamic = tuple(spec.dynamic for spec in graph.inputs)
    exported = torch.export.export(graph.net, graph.draw(3, 0), dynamic_shapes=dynamic).module()
    inputs = graph.draw(2, 1)
    assert torch.allclose(exported(*inputs), graph.net(*inputs), atol=1e-5)

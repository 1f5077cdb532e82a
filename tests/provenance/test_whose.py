"""What strangers write into files proves nothing, breaks nothing, and hides no other mark."""

import io
import json
import time

import pytest
from PIL import Image

from sparring.errors import InputError
from sparring.provenance import certificates, manifests, packets, sidecars, whose
from sparring.provenance import marker as markers
from sparring.provenance.containers import container

pytest.importorskip("c2pa")

ORIGIN = packets.Origin("Example", "recipe gan on digits", "ab" * 32)
PACKET = packets.packet(ORIGIN, "cd" * 32, True)


def png():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


def pem(*certificates):
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def test_another_certificate_of_the_same_authority_is_not_trusted(tmp_path):
    from cryptography.hazmat.primitives import serialization as to
    from cryptography.hazmat.primitives.asymmetric import ec

    root_key, mine, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = certificates._certificate("Authority", "root", root_key.public_key(), root_key, None)
    chains, keys = [], []
    for key in (mine, other):
        leaf = certificates._certificate("Example", "signer", key.public_key(), root_key, root)
        chains.append(pem(leaf, root))
        keys.append(key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption()))
    marker = markers.create(tmp_path / "marks", "Example", chains[0], keys[0])
    for chain, key, proven in zip(chains, keys, (True, False), strict=True):
        (tmp_path / "a.png").write_bytes(manifests.sign(png(), "image/png", ORIGIN, chain, key))
        verdict = whose(tmp_path / "a.png", marker)
        assert [one.proven for one in verdict.evidence] == [proven]
        assert verdict.evidence[0].says.startswith("valid, generated")
        assert bool(verdict.model) == proven


def test_a_damaged_mark_does_not_hide_others(tmp_path):
    file = tmp_path / "a.png"
    marker = markers.create(tmp_path / "marks", "Example")
    place = container(png())
    damaged = place.with_packet(png(), PACKET.replace(b"</rdf:RDF>", b""))
    file.write_bytes(manifests.sign(damaged, place.media, ORIGIN, marker.chain, marker.key))
    sidecars.beside(file).write_text("{")
    found = whose(file, marker)
    assert [(one.kind, one.says.partition(":")[0]) for one in found.evidence[1:]] == [
        ("sidecar", "damaged"),
        ("metadata", "damaged"),
    ]
    assert found.model
    sidecars.beside(file).write_text(json.dumps({"statement": {}, "signature": "", "certificate": "none"}))
    assert whose(file, marker).evidence[1].says.startswith("damaged")


def test_a_key_of_an_unknown_algorithm_is_damage(tmp_path, monkeypatch):
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    class Strange:
        def public_key(self):
            raise UnsupportedAlgorithm("of the future")

    monkeypatch.setattr(x509, "load_pem_x509_certificates", lambda _: [Strange()])
    (tmp_path / "a").write_text(json.dumps({"statement": {}, "signature": "", "certificate": ""}))
    with pytest.raises(InputError, match="is damaged"):
        sidecars.read(tmp_path / "a")


def test_packets_of_other_programs():
    """Adobe's write simple properties as attributes, and addresses may be resources."""
    source = f'Iptc4xmpExt:DigitalSourceType="{packets.GENERATED}"'
    start = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{packets.RDF}">'
    spaces = f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{packets.IPTC}" '
    end = "</rdf:RDF></x:xmpmeta>"
    resource = f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{packets.GENERATED}"/>'
    for form in (f"{spaces}{source}/>", f"{spaces}>{resource}</rdf:Description>"):
        assert packets.says_generated(packets.fields((start + form + end).encode()))
    assert not packets.says_generated(packets.fields((start + spaces + "/>" + end).encode()))


def test_time_grows_with_the_size_of_a_hostile_file_only():
    start = time.process_time()
    assert packets.fields(packets.START * 110_000) is None
    with pytest.raises(InputError, match="too large"):
        packets.fields(packets.START * 110_000 + packets.END)
    assert time.process_time() - start < 1


def test_manifests_of_any_type():
    """What a stranger's manifest says may be a list where an object is expected."""
    for active in (
        {"assertions": [{"label": "c2pa.actions.v2", "data": []}, 3]},
        {"assertions": {"label": "c2pa.actions"}, "signature_info": []},
        {"assertions": [{"label": "c2pa.actions", "data": {"actions": [7, {"digitalSourceType": []}]}}]},
        [],
    ):
        store = {"active_manifest": "a", "manifests": {"a": active}, "validation_state": "Trusted"}
        found = manifests.described(store, "1")
        assert (found.generated, found.trusted, found.origin) == (False, False, None)
    assert not manifests.described({"manifests": []}, "").valid


def test_nothing_is_fetched_for_a_manifest():
    assert manifests.SETTINGS["verify"] == {"remote_manifest_fetch": False, "ocsp_fetch": False}

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from clerestory.errors import InputError
from clerestory.release.gate.keys import (
    SCHEMES,
    URI_SCHEMES,
    key_problem,
    load_signer,
    new_key,
    public_from,
    public_text,
    signer_from,
)
from tests.release.signing import signer

PASSPHRASE = b"correct horse battery"
RFC_8032 = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""The public key of test 1 of RFC 8032, section 7.1."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SSlibKey]:
    file = tmp_path_factory.mktemp("keys") / "folder" / "ana.pem"
    return file, new_key(file, PASSPHRASE)


def _pem(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    file.chmod(0o600)
    return file


def test_a_key_opens_with_its_passphrase_and_signs(made: tuple[Path, SSlibKey]) -> None:
    file, public = made
    opened = load_signer(file, PASSPHRASE)

    assert opened.public_key == public
    public.verify_signature(opened.sign(b"agreed"), b"agreed")


def test_only_its_owner_can_read_it(made: tuple[Path, SSlibKey]) -> None:
    assert made[0].stat().st_mode & 0o777 == 0o600
    assert made[0].parent.stat().st_mode & 0o777 == 0o700


def test_openssl_reads_it(made: tuple[Path, SSlibKey]) -> None:
    file, public = made
    command = ["openssl", "pkey", "-in", str(file), "-passin", f"pass:{PASSPHRASE.decode()}"]
    done = subprocess.run(
        [*command, "-pubout", "-outform", "DER"], check=True, capture_output=True, timeout=60
    )

    assert done.stdout[-32:].hex() == public.keyval["public"]


def test_the_private_half_is_nowhere_in_the_file(made: tuple[Path, SSlibKey]) -> None:
    key = load_pem_private_key(made[0].read_bytes(), PASSPHRASE)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    assert raw not in made[0].read_bytes()


def test_a_key_is_never_overwritten(made: tuple[Path, SSlibKey]) -> None:
    before = made[0].read_bytes()

    with pytest.raises(InputError, match="never overwritten"):
        new_key(made[0], PASSPHRASE)

    assert made[0].read_bytes() == before


def test_nor_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.pem").symlink_to(tmp_path / "elsewhere.pem")

    with pytest.raises(InputError, match="never overwritten"):
        new_key(tmp_path / "link.pem", PASSPHRASE)

    assert not (tmp_path / "elsewhere.pem").exists()


@pytest.mark.parametrize("wrong", [b"", b"x", b"correct horse batterz", PASSPHRASE + b" "])
def test_another_passphrase_is_said_to_be_wrong(made: tuple[Path, SSlibKey], wrong: bytes) -> None:
    with pytest.raises(InputError, match="does not open this key"):
        load_signer(made[0], wrong)


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than 12"):
        new_key(tmp_path / "a.pem", b"elevenchars")

    assert not (tmp_path / "a.pem").exists()


def test_a_key_that_others_can_read_is_refused(made: tuple[Path, SSlibKey], tmp_path: Path) -> None:
    copy = _pem(tmp_path / "copy.pem", made[0].read_bytes())
    copy.chmod(0o640)

    with pytest.raises(InputError, match="others can read"):
        load_signer(copy, PASSPHRASE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
        ),
    ],
    ids=["empty", "text", "plain", "damaged", "curve"],
)
def test_what_is_no_encrypted_ed25519_key_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError):
        load_signer(_pem(tmp_path / "a.pem", content), PASSPHRASE)


def test_a_missing_key_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="keys new"):
        load_signer(tmp_path / "none.pem", PASSPHRASE)


def test_a_public_key_is_one_line() -> None:
    key = public_from(f"ed25519:{RFC_8032}")

    assert key.keyval == {"public": RFC_8032}
    assert public_text(key) == f"ed25519:{RFC_8032}"


def _others() -> list[SSlibKey]:
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    return [
        CryptoSigner.generate_ecdsa().public_key,
        CryptoSigner.generate_ecdsa(scheme="ecdsa-sha2-nistp384").public_key,
        SSlibKey.from_crypto(rsa_key, scheme="rsassa-pss-sha256"),
    ]


def test_keys_of_hardware_and_clouds_are_one_line_too() -> None:
    for key in _others():
        assert key.scheme in SCHEMES
        assert "\n" not in public_text(key)
        assert public_from(public_text(key)) == key
        assert key_problem(key) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ed25519",
        "ed25519:",
        "ed25519:00",
        f"rsa:{RFC_8032}",
        f"ed25519:{RFC_8032}00",
        "ecdsa-sha2-nistp256:AA==",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        public_from(text)


def test_one_key_cannot_stand_under_a_second_number() -> None:
    key = signer("ana").public_key
    again = [
        SSlibKey("0" * 64, key.keytype, key.scheme, dict(key.keyval)),
        SSlibKey(key.keyid, key.keytype, key.scheme, {"public": key.keyval["public"].upper()}),
        SSlibKey(key.keyid, key.keytype, key.scheme, dict(key.keyval), {"note": "another"}),
    ]
    curve = CryptoSigner.generate_ecdsa().public_key
    spaced = {"public": curve.keyval["public"] + "\n"}
    again.append(SSlibKey(curve.keyid, curve.keytype, curve.scheme, spaced))

    assert all(key_problem(one) for one in again)
    assert key_problem(Key.from_dict(key.keyid, key.to_dict())) == ""


@pytest.mark.parametrize("scheme", URI_SCHEMES)
def test_a_key_elsewhere_needs_its_library(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from securesystemslib.exceptions import UnsupportedLibraryError
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME

    def missing(*arguments: object) -> None:
        raise UnsupportedLibraryError("not there")

    monkeypatch.setattr(SIGNER_FOR_URI_SCHEME[scheme], "import_", missing)

    with pytest.raises(InputError, match=rf"pip install 'clerestory\[{scheme}\]'"):
        signer_from(f"{scheme}:")


def test_a_key_elsewhere_signs_as_one_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud is played by a signer that knows its public half, as those of securesystemslib do."""
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME

    held = CryptoSigner.generate_ecdsa()
    asked = []

    class Cloud:
        @classmethod
        def import_(cls, name: str) -> tuple[str, SSlibKey]:
            return f"gcpkms:{name}", held.public_key

        @classmethod
        def from_priv_key_uri(cls, uri: str, public: Key, secrets: object) -> CryptoSigner:
            asked.append(uri)
            assert public == held.public_key
            return held

    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "gcpkms", Cloud)
    found = signer_from("gcpkms:projects/p/keys/k")

    assert asked == ["gcpkms:projects/p/keys/k"]
    assert found.public_key == held.public_key


@pytest.mark.parametrize(
    ("uri", "asked"),
    [
        ("hsm:", (None, None)),
        ("hsm:2", (2, None)),
        ("hsm:2?label=ana%20s", (2, "ana s")),
        ("awskms:alias/ana", ("alias/ana",)),
        ("gcpkms:projects/p/cryptoKeys/k", ("projects/p/cryptoKeys/k",)),
        ("azurekms://vault.vault.azure.net/keys/ana/7", ("vault", "ana")),
    ],
)
def test_each_scheme_is_asked_in_its_own_way(
    uri: str, asked: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME

    held = CryptoSigner.generate_ecdsa()
    seen: list[object] = []
    scheme = uri.partition(":")[0]

    class Device:
        @classmethod
        def import_(cls, *arguments: object) -> tuple[str, SSlibKey]:
            seen.extend(arguments)
            key = held.public_key
            bare = {"public": key.keyval["public"].rstrip()}  # as some clouds write it
            return f"{scheme}:whole", SSlibKey("0" * 64, key.keytype, key.scheme, bare)

        @classmethod
        def from_priv_key_uri(cls, whole: str, public: Key, secrets: object) -> CryptoSigner:
            assert whole == f"{scheme}:whole" and public == held.public_key
            return held

    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, scheme, Device)
    signer_from(uri, secrets=str)

    assert tuple(seen) == (*asked, str) if scheme == "hsm" else asked


def test_other_schemes_are_refused() -> None:
    with pytest.raises(InputError, match="hsm, gcpkms, awskms, azurekms"):
        signer_from("file2:/etc/passwd")


def test_what_a_library_raises_never_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    from securesystemslib.signer import SIGNER_FOR_URI_SCHEME

    def broken(*arguments: object) -> None:
        raise RuntimeError(os.environ.get("HOME"))

    monkeypatch.setattr(SIGNER_FOR_URI_SCHEME["awskms"], "import_", broken)

    with pytest.raises(InputError, match="not reached: RuntimeError"):
        signer_from("awskms:x")

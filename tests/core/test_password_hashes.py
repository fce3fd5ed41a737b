"""Password hashes of other systems: which are understood, and which ask for too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.password_hashes import Argon2, Bcrypt, HashRefused, Pbkdf2, Scrypt, check_hash, read_hash
from poolhouse.model import PasswordHashingAlgorithmType as Algorithm

B64 = "aGVsbG8gd29ybGQhISEhIQ"
BCRYPT = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m"
GOOD = {
    BCRYPT: (Algorithm.BCRYPT, Bcrypt),
    BCRYPT.replace("2b", "2a"): (Algorithm.BCRYPT, Bcrypt),
    BCRYPT.replace("2b", "2y"): (Algorithm.BCRYPT, Bcrypt),
    f"$argon2id$v=19$m=65536,t=3,p=4${B64}${B64}": (Algorithm.ARGON2ID, Argon2),
    f"$scrypt$ln=17,r=8,p=1${B64}${B64}": (Algorithm.SCRYPT, Scrypt),
    f"scrypt:32768:8:1$pepper${'ab' * 64}": (Algorithm.SCRYPT, Scrypt),
    f"$pbkdf2-sha256$i=600000,l=16${B64}${B64}": (Algorithm.PBKDF2_SHA256, Pbkdf2),
    f"$pbkdf2-sha256$29000$.6UI/S.nXIk8jcbdHx3Fhg${B64}": (Algorithm.PBKDF2_SHA256, Pbkdf2),
    f"pbkdf2_sha256$1200000$salt${B64}==": (Algorithm.PBKDF2_SHA256, Pbkdf2),
    f"pbkdf2:sha256:1000000$salt${'00' * 32}": (Algorithm.PBKDF2_SHA256, Pbkdf2),
}
TOO_DEAR = [
    BCRYPT.replace("$12$", "$15$"),
    BCRYPT.replace("$12$", "$03$"),
    f"$argon2id$v=19$m=1048576,t=1,p=1${B64}${B64}",
    f"$argon2id$v=19$m=131072,t=5,p=1${B64}${B64}",
    f"$argon2id$v=19$m=4294967295,t=4294967295,p=1${B64}${B64}",
    f"$argon2id$v=19$m=65536,t=1,p=255${B64}${B64}",
    f"$argon2id$v=19$m=8,t=1,p=2${B64}${B64}",
    f"$scrypt$ln=30,r=8,p=1${B64}${B64}",
    f"$scrypt$ln=999999999,r=8,p=1${B64}${B64}",
    f"$scrypt$ln=18,r=8,p=1${B64}${B64}",
    f"$scrypt$ln=17,r=8,p=3${B64}${B64}",
    f"scrypt:1073741824:8:1$s${'ab' * 64}",
    f"$pbkdf2-sha256$i=9999999999${B64}${B64}",
    f"pbkdf2_sha256$3000001$salt${B64}",
]
UNREADABLE = [
    "",
    "secret",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    BCRYPT[:-1],
    BCRYPT.replace("2b", "2x"),
    f"$argon2i$v=19$m=65536,t=3,p=4${B64}${B64}",
    f"$argon2id$v=16$m=65536,t=3,p=4${B64}${B64}",
    f"$argon2id$v=19$m=65536,t=3,p=4${B64}$YQ",
    f"$argon2id$v=19$m=65536,t=3,p=4$YQ${B64}",
    f"$argon2id$v=19$m=65536,t=3,p=4${B64}${B64[:-1]}R",
    f"$scrypt$ln=0,r=8,p=1${B64}${B64}",
    f"$scrypt$ln=15,r=8,p=1${B64}$a",
    f"scrypt:1000:8:1$s${'ab' * 64}",
    f"pbkdf2_sha256$10$salt${'A' * 400}",
    f"$pbkdf2-sha512$i=1${B64}${B64}",
]


@pytest.mark.parametrize("text", GOOD)
def test_the_usual_encodings_are_read(text: str):
    """Each of the encodings in use is taken for its algorithm, and for no other (spec/api/08 §4)."""
    algorithm, kind = GOOD[text]

    assert isinstance(read_hash(text), kind)
    check_hash(algorithm, text)
    for other in set(Algorithm) - {algorithm}:
        with pytest.raises(HashRefused, match="is not one by"):
            check_hash(other, text)


@pytest.mark.parametrize("text", TOO_DEAR)
def test_costs_are_bounded(text: str):
    """A hash whose check would take seconds, or gigabytes, is refused."""
    with pytest.raises(HashRefused, match="cost"):
        read_hash(text)


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_refused(text: str):
    """Anything else is refused, and the refusal quotes nothing of it."""
    with pytest.raises(HashRefused) as refused:
        read_hash(text)

    assert len(text) < 6 or text not in str(refused.value)


@given(st.text() | st.sampled_from(sorted(GOOD)).flatmap(lambda text: st.sampled_from([text[:n] + text[n + 1 :] for n in range(len(text))])))  # fmt: skip
def test_reading_ends_in_a_hash_or_a_refusal(text: str):
    """No text makes the reader fail otherwise."""
    try:
        read_hash(text)
    except HashRefused:
        return

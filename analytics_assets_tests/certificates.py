"""Certificates for servers of a test that speak TLS, from an authority that only the test knows."""

from pathlib import Path
from typing import NamedTuple

import trustme


class Certificate(NamedTuple):
    """The files of a server's certificate and key, and of the authority that vouches for it."""

    certificate: Path
    key: Path
    authority: Path


def make_certificate(folder: Path, name: str) -> Certificate:
    """A certificate for a name or an address, with its files in the folder."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
    authority = trustme.CA()
    issued = authority.issue_cert(name)
    authority.cert_pem.write_to_path(str(made.authority))
    issued.private_key_pem.write_to_path(str(made.key))
    made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    return made

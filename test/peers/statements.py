"""Strangers read what Touchstone signs.

statements.py dsse PEM FILE: securesystemslib verifies each envelope (a line each, or the whole file), in-toto-attestation each Statement.
statements.py model FOLDER: what model-signing states of it.
statements.py oscal FILE: compliance-trestle reads the assessment results.
Each prints one line of JSON. pip install 'securesystemslib[crypto]' in-toto-attestation model-signing pyOpenSSL compliance-trestle
"""

import json
import pathlib
import sys


def envelopes(path: str) -> list[dict]:
    text = pathlib.Path(path).read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
        return [whole.get("dsseEnvelope", whole)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def dsse(pem: str, path: str) -> dict:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    public = load_pem_public_key(pathlib.Path(pem).read_bytes())
    types = []
    for raw in envelopes(path):
        # from_dict takes the parts out of what it is given.
        key = SSlibKey.from_crypto(public, keyid=raw["signatures"][0]["keyid"])
        envelope = Envelope.from_dict(raw)
        envelope.verify([key], 1)
        statement = Statement.copy_from_pb(
            json_format.Parse(envelope.payload, statement_pb2.Statement())
        )
        statement.validate()
        types.append(statement.pb.predicate_type)
    return {"types": types}


def model(folder: str) -> dict:
    from google.protobuf import json_format
    from model_signing import hashing
    from model_signing._signing import signing

    payload = signing.Payload(hashing.Config().hash(pathlib.Path(folder)))
    statement = json_format.MessageToDict(payload.statement.pb)
    statement["predicate"]["serialization"]["ignore_paths"].sort()
    return statement


def oscal(path: str) -> dict:
    from trestle.oscal.assessment_results import AssessmentResults

    read = AssessmentResults.oscal_read(pathlib.Path(path))
    result = read.results[0]
    return {
        "title": result.title,
        "observations": len(result.observations or []),
        "findings": len(result.findings or []),
    }


ACTIONS = {"dsse": dsse, "model": model, "oscal": oscal}
try:
    print(json.dumps(ACTIONS[sys.argv[1]](*sys.argv[2:])))
except Exception as error:  # noqa: BLE001
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1)

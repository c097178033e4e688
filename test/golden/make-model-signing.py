"""What PyPI's model-signing says of a small folder: fixtures/model-signing.json.

pip install model-signing==1.1.1 pyOpenSSL
"""

import json
import pathlib
import tempfile

from google.protobuf import json_format
from model_signing import hashing
from model_signing._signing import signing

FILES = {
    "config.json": '{"a": 1}\n',
    "model.safetensors": "weights",
    "empty": "",
    "Z \u00e9.txt": "z",
    "sub.txt": "q",
    "sub/A.txt": "x",
    "sub/b.txt": "y",
    "sub/.git": "kept",
    ".git/HEAD": "left out",
    ".gitignore": "left out",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent) / "tuned"
        for name, content in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")
        payload = signing.Payload(hashing.Config().hash(folder))
        statement = json_format.MessageToDict(payload.statement.pb)
    # A set, whose order means nothing.
    statement["predicate"]["serialization"]["ignore_paths"].sort()
    out = pathlib.Path(__file__).parent / "fixtures" / "model-signing.json"
    out.write_text(json.dumps({"files": FILES, "statement": statement}, indent=2) + "\n")


main()

"""Writes optical-digits.bin.gz from scikit-learn's copy: per image 64 bytes, row by row, 0 (blank) to 16 (ink), then its digit.

    python3 -m venv VENV; VENV/bin/pip install scikit-learn==1.9.1; VENV/bin/python make-digits.py
"""
import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
rows = np.hstack([digits.data, digits.target[:, None]]).astype(np.uint8)
packed = gzip.compress(rows.tobytes(), compresslevel=9, mtime=0)
(Path(__file__).parent / "optical-digits.bin.gz").write_bytes(packed)

"""Writes standard input to a new file in a folder: what fetchmail hands each message to."""

import os
import sys
import tempfile

descriptor, _ = tempfile.mkstemp(dir=sys.argv[1])
with os.fdopen(descriptor, "wb") as file:
    file.write(sys.stdin.buffer.read())

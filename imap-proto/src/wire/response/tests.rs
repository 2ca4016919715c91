//! Tests of the framing of responses.

//! Tests of the mail logic.

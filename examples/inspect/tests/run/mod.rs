//! Runs `inspect`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The exit code and the objects.
pub(crate) fn inspect(arguments: &[&str], input: &[u8]) -> (Option<i32>, Vec<Value>) {
    let (code, text) = run(arguments, input);
    (code, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The exit code and standard output.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_inspect"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that refuses its arguments does not read; one that writes a lot must be read meanwhile.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The values of good input.
pub(crate) fn values(kind: &str, input: &[u8]) -> Vec<Value> {
    let (code, objects) = inspect(&[kind], input);
    assert_eq!(code, Some(0), "{objects:?}");
    assert_eq!(
        objects.iter().map(|object| object["consumed"].as_u64().unwrap()).sum::<u64>(),
        input.len() as u64
    );
    objects.into_iter().map(|object| object["value"].clone()).collect()
}

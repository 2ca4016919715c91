//! A server that says what a session would never say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

/// Greets one client with the first of `replies`, answers each of its lines with the next, and gives the lines
/// back. `TAG` in a reply is the first word of the line that it answers. After the last it waits for the client
/// to leave.
pub fn serve(replies: &'static [&'static str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut seen = Vec::new();
        for reply in replies {
            let tag = seen.last().and_then(|line: &String| line.split(' ').next()).unwrap_or_default();
            let reply = reply.replace("TAG", tag);
            if stream.write_all(reply.as_bytes()).is_err() {
                break;
            }
            match lines.next() {
                Some(Ok(line)) => seen.push(line),
                _ => break,
            }
        }
        // The client is the one to close.
        while let Some(Ok(line)) = lines.next() {
            seen.push(line);
        }
        seen
    });
    (port, thread)
}

//! Between a client and a server: what goes through is counted, and may stop.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What has gone through since it was taken last.
#[derive(Debug, Default)]
pub struct Passed {
    /// What clients said.
    pub said: Vec<u8>,
    /// Octets that the server said.
    pub heard: usize,
}

impl Passed {
    /// How many commands have this in them.
    pub fn commands(&self, what: &str) -> usize {
        String::from_utf8_lossy(&self.said).lines().filter(|line| line.contains(what)).count()
    }
}

pub struct Tap {
    pub port: u16,
    passed: Arc<Mutex<Passed>>,
    /// Octets of the server that are let through on a connection.
    most: Arc<AtomicUsize>,
    stopped: std::sync::mpsc::Receiver<()>,
}

impl Tap {
    /// Leads to a server on loopback.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Passed::default()));
        let most = Arc::new(AtomicUsize::new(usize::MAX));
        let (stop, stopped) = std::sync::mpsc::channel();
        let (kept, limit) = (Arc::clone(&passed), Arc::clone(&most));
        // Not joined: it ends with the process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", server)).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let seen = Arc::clone(&kept);
                thread::spawn(move || {
                    pass(from, to, |octets| {
                        seen.lock().unwrap().said.extend_from_slice(octets);
                        true
                    });
                });
                let (seen, stop, mut left) = (Arc::clone(&kept), stop.clone(), limit.load(Ordering::SeqCst));
                thread::spawn(move || {
                    pass(server, client, |octets| {
                        if octets.len() > left {
                            let _ = stop.send(());
                            // Nothing goes through any more, and nobody hangs up.
                            thread::park();
                            return false;
                        }
                        left -= octets.len();
                        seen.lock().unwrap().heard += octets.len();
                        true
                    });
                });
            }
        });
        Self { port, passed, most, stopped }
    }

    /// From now on a connection stops after so many octets of the server.
    pub fn stop_after(&self, octets: usize) {
        self.most.store(octets, Ordering::SeqCst);
    }

    /// Waits until one has stopped.
    pub fn wait_for_stop(&self) {
        self.stopped.recv().unwrap();
    }

    pub fn take(&self) -> Passed {
        core::mem::take(&mut *self.passed.lock().unwrap())
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut may: impl FnMut(&[u8]) -> bool) {
    // Small, so that it can stop anywhere.
    let mut buffer = [0; 256];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !may(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
